// PruningMethodsTests
