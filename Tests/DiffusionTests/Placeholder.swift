// DiffusionTests
