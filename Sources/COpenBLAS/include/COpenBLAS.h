#pragma once

// Routines of the system's OpenBLAS, loaded when first asked for and not with the program: as it is loaded, OpenBLAS
// starts threads and maps memory, and where a limit of the system forbids either, it waits without end or ends the
// process. LAPACK's arguments are by reference, its arrays column-major; `int` is 32 bits.

enum { openblas_row_major = 101, openblas_no_transpose = 111, openblas_transpose = 112, openblas_upper = 121 };

typedef struct {
    /// C ← alpha·op(A)·op(B) + beta·C.
    void (*dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double *a,
                  int lda, const double *b, int ldb, double beta, double *c, int ldc);
    /// One triangle of C ← alpha·op(A)·op(A)ᵀ + beta·C.
    void (*dsyrk)(int order, int triangle, int transpose, int n, int k, double alpha, const double *a, int lda,
                  double beta, double *c, int ldc);
    /// A ← A + alpha·x·yᵀ.
    void (*dger)(int order, int m, int n, double alpha, const double *x, int step_x, const double *y, int step_y,
                 double *a, int lda);
    /// Eigenvalues (ascending, into w) and, with jobz = "V", eigenvectors (into a's columns) of a symmetric matrix.
    void (*dsyevd)(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
                   const int *lwork, int *iwork, const int *liwork, int *info);
    /// Minimum-norm least squares by the singular value decomposition.
    void (*dgelsd)(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
                   double *s, const double *rcond, int *rank, double *work, const int *lwork, int *iwork, int *info);
    /// The Cholesky factor of a symmetric positive definite matrix, in one triangle; info > 0 where it is none.
    void (*dpotrf)(const char *uplo, const int *n, double *a, const int *lda, int *info);
    /// X of A·X = B from A's factor; B is replaced by X.
    void (*dpotrs)(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
                   const int *ldb, int *info);
    /// One triangle of A⁻¹ from A's factor, which it replaces.
    void (*dpotri)(const char *uplo, const int *n, double *a, const int *lda, int *info);
} openblas_routines;

/// Loads the library, to compute on the calling thread alone, and fills in `routines`. To be called once.
///
/// Returns null, or why there is none; that text lives until the next call.
const char *openblas_load(openblas_routines *routines);
