// PruningTests
