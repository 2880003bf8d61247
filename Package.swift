// swift-tools-version: 6.1
import PackageDescription

// Each target imports only targets that stand above it in this list.
let package = Package(
    name: "diffprune",
    products: [
        .executable(name: "diffprune", targets: ["diffprune"]),
        .library(name: "TensorCore", targets: ["TensorCore"]),
        .library(name: "Imagery", targets: ["Imagery"]),
        .library(name: "Layers", targets: ["Layers"]),
        .library(name: "Training", targets: ["Training"]),
        .library(name: "Pruning", targets: ["Pruning"]),
        .library(name: "Diffusion", targets: ["Diffusion"]),
        .library(name: "PruningMethods", targets: ["PruningMethods"]),
        .library(name: "ModelFolders", targets: ["ModelFolders"]),
        .library(name: "Runs", targets: ["Runs"]),
        .library(name: "Evaluation", targets: ["Evaluation"]),
        .library(name: "Workflows", targets: ["Workflows"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CKernels", exclude: ["README.md"], linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CImagery", dependencies: ["CJPEG", "CPNG"], linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CHeap"),
        .target(name: "Files", dependencies: ["COpenSSL"]),
        .target(name: "LinearAlgebra", dependencies: ["COpenBLAS"]),
        .target(name: "Statistics"),
        .target(name: "TensorCore", dependencies: ["CKernels"]),
        .target(name: "Configuration", dependencies: ["Files", "Yams"]),
        .target(name: "Imagery", dependencies: ["CImagery", "Files"]),
        .target(name: "Reports", dependencies: ["Files"]),
        .target(name: "Layers", dependencies: ["TensorCore"]),
        .target(name: "WeightFiles", dependencies: ["Files"]),
        .target(name: "Models", dependencies: ["Files", "LinearAlgebra", "TensorCore", "Layers"]),
        .target(name: "Datasets", dependencies: ["Files", "TensorCore", "Configuration", "Imagery"]),
        .target(
            name: "Training",
            dependencies: [
                "CKernels", "Files", "TensorCore", "Configuration", "Layers", "WeightFiles",
            ]),
        .target(name: "Runs", dependencies: ["Files", "Configuration", "Imagery", "Reports", "WeightFiles"]),
        .target(name: "Pruning", dependencies: ["Files", "LinearAlgebra", "TensorCore", "Layers", "Training"]),
        .target(
            name: "Diffusion",
            dependencies: [
                "CKernels", "Files", "TensorCore", "Configuration", "Imagery", "Layers", "Models", "Datasets",
                "Training",
            ]),
        .target(
            name: "Classification",
            dependencies: [
                "CKernels", "Files", "TensorCore", "Configuration", "Imagery", "Layers", "Models", "Datasets",
                "Training",
            ]),
        .target(
            name: "ModelFolders", dependencies: ["Files", "Layers", "WeightFiles", "Models", "Diffusion"],
            resources: [.embedInCode("Resources/modeling_diffprune.py")]),
        .target(name: "Export", dependencies: ["Files", "TensorCore", "Layers", "Models"]),
        .target(
            name: "PruningMethods",
            dependencies: [
                "Files", "LinearAlgebra", "TensorCore", "Layers", "Training", "Pruning",
            ]),
        .target(
            name: "Evaluation",
            dependencies: [
                "LinearAlgebra", "Statistics", "TensorCore", "Imagery", "Models", "Diffusion",
            ]),
        .target(
            name: "Timing",
            dependencies: ["Statistics", "TensorCore", "Layers", "Models", "Diffusion", "Classification"]),
        .target(
            name: "Workflows",
            dependencies: [
                "Files", "Statistics", "TensorCore", "Configuration", "Imagery", "Reports", "Layers", "WeightFiles",
                "Models", "Datasets", "Training", "Runs", "Pruning", "Diffusion", "Classification", "ModelFolders",
                "PruningMethods", "Evaluation", "Timing",
            ]),
        .target(
            name: "Benchmarking",
            dependencies: [
                "Files", "Statistics", "TensorCore", "Reports", "Layers", "Models", "Training", "Runs", "Diffusion",
                "Classification", "ModelFolders", "Timing", "Workflows",
            ]),
        .executableTarget(
            name: "diffprune",
            dependencies: [
                "CHeap", "Files", "TensorCore", "Configuration", "Imagery", "Reports", "Datasets", "Runs", "Pruning",
                "Diffusion", "ModelFolders", "Export", "Workflows", "Benchmarking",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .target(
            name: "TestSupport",
            dependencies: [
                "TensorCore", "Layers", "WeightFiles", "Training",
            ], path: "Tests/TestSupport"),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "TestSupport"]),
        .testTarget(name: "TensorCoreTests", dependencies: ["CKernels", "LinearAlgebra", "TensorCore", "TestSupport"]),
        .testTarget(name: "ImageryTests", dependencies: ["Imagery", "TestSupport"]),
        .testTarget(name: "ReportsTests", dependencies: ["Files", "Reports", "TestSupport"]),
        .testTarget(name: "WeightFilesTests", dependencies: ["Files", "WeightFiles", "TestSupport"]),
        .testTarget(name: "LayersTests", dependencies: ["TensorCore", "Layers", "Training", "TestSupport"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Files", "TensorCore", "Layers", "WeightFiles", "Training", "TestSupport",
            ]),
        .testTarget(
            name: "ModelsTests",
            dependencies: [
                "Files", "TensorCore", "Layers", "WeightFiles", "Models", "Training", "Diffusion", "Classification",
                "ModelFolders", "TestSupport",
            ]),
        .testTarget(
            name: "ClassificationTests",
            dependencies: [
                "TensorCore", "Imagery", "Layers", "Datasets", "Training", "Classification", "TestSupport",
            ]),
        .testTarget(
            name: "DiffusionTests",
            dependencies: [
                "Files", "TensorCore", "Imagery", "Models", "Datasets", "Training", "Diffusion", "TestSupport",
            ]),
        .testTarget(
            name: "ModelFoldersTests",
            dependencies: [
                "Files", "TensorCore", "Layers", "WeightFiles", "Models", "ModelFolders", "TestSupport",
            ]),
        .testTarget(
            name: "ExportTests", dependencies: ["Files", "Models", "Export", "ModelFolders", "TestSupport"]),
        .testTarget(
            name: "PruningTests",
            dependencies: [
                "TensorCore", "Layers", "WeightFiles", "Models", "Training", "Pruning", "Diffusion", "TestSupport",
            ]),
        .testTarget(
            name: "PruningMethodsTests",
            dependencies: [
                "Files", "TensorCore", "Configuration", "Layers", "Models", "Training", "Pruning", "Diffusion",
                "Classification", "PruningMethods",
            ]),
        .testTarget(
            name: "ExamplesTests",
            dependencies: [
                "Files", "TensorCore", "Layers", "Training", "Runs", "Pruning", "ModelFolders", "PruningMethods",
                "Workflows", "TestSupport",
            ]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: [
                "Files", "Statistics", "Imagery", "Models", "Diffusion", "Evaluation", "Timing", "TestSupport",
            ]),
        .testTarget(
            name: "WorkflowsTests",
            dependencies: [
                "Files", "TensorCore", "Configuration", "Imagery", "Reports", "WeightFiles", "Models", "Datasets",
                "Runs",
                "Diffusion", "Classification", "ModelFolders", "PruningMethods", "Evaluation", "Workflows",
                "TestSupport",
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Files", "Imagery", "Layers", "WeightFiles", "Models", "Runs", "Diffusion", "ModelFolders", "Workflows",
                "diffprune",
                "TestSupport",
            ]),
    ]
)
