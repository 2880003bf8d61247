// ImageryTests
