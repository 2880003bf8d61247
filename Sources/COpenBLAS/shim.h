#pragma once
#include <cblas.h>

// Debian's libopenblas-dev carries LAPACK's Fortran entry points but no header for them.
// Every argument is by reference; arrays are column-major; `int` is 32 bits.

/// Eigenvalues (ascending, into w) and, with jobz = "V", eigenvectors (into a's columns) of a symmetric matrix.
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info);
/// Minimum-norm least squares by the singular value decomposition.
void dgelsd_(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
             double *s, const double *rcond, int *rank, double *work, const int *lwork, int *iwork, int *info);
