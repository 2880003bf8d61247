// swift-tools-version: 6.1
import PackageDescription

// Each target imports only targets that stand above it in this list.
let package = Package(
    name: "diffprune",
    products: [
        .executable(name: "diffprune", targets: ["diffprune"]),
        .library(name: "Diffusion", targets: ["Diffusion"]),
        .library(name: "PruningMethods", targets: ["PruningMethods"]),
        .library(name: "Evaluation", targets: ["Evaluation"]),
        .library(name: "Workflows", targets: ["Workflows"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "TensorCore", dependencies: ["CKernels", "COpenBLAS"]),
        .target(name: "Layers", dependencies: ["TensorCore"]),
        .target(name: "Diffusion", dependencies: ["TensorCore", "Layers"]),
        .target(name: "Pruning", dependencies: ["TensorCore", "Layers"]),
        .target(name: "PruningMethods", dependencies: ["TensorCore", "Layers", "Pruning"]),
        .target(name: "Imagery", dependencies: ["CPNG", "CImagery"]),
        .target(name: "CImagery", dependencies: ["CPNG"], linkerSettings: [.linkedLibrary("z")]),
        .target(name: "Storage", dependencies: ["TensorCore", "Layers", "Diffusion", "Pruning"]),
        .target(name: "Evaluation", dependencies: ["TensorCore", "Layers", "Diffusion", "Imagery"]),
        .target(name: "Reports", dependencies: []),
        .target(
            name: "Workflows",
            dependencies: [
                "TensorCore", "Layers", "Diffusion", "Pruning", "PruningMethods", "Imagery", "Storage", "Evaluation",
                "Reports", "Yams",
            ]),
        .executableTarget(
            name: "diffprune",
            dependencies: [
                "TensorCore", "Diffusion", "Pruning", "PruningMethods", "Imagery", "Storage", "Reports", "Workflows",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "TensorCoreTests", dependencies: ["TensorCore", "CKernels", "COpenBLAS", "Storage"]),
        .testTarget(name: "LayersTests", dependencies: ["Layers", "TensorCore", "Storage"]),
        .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "Layers", "TensorCore", "Storage"]),
        .testTarget(name: "PruningTests", dependencies: ["Pruning", "Diffusion", "Layers", "TensorCore", "Storage"]),
        .testTarget(
            name: "PruningMethodsTests",
            dependencies: ["PruningMethods", "Pruning", "Diffusion", "Layers", "TensorCore"]),
        .testTarget(name: "ImageryTests", dependencies: ["Imagery"]),
        .testTarget(name: "StorageTests", dependencies: ["Storage", "Diffusion", "Layers", "TensorCore"]),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Imagery"]),
        .testTarget(name: "ReportsTests", dependencies: ["Reports"]),
        .testTarget(
            name: "WorkflowsTests",
            dependencies: [
                "Workflows", "PruningMethods", "Evaluation", "Imagery", "Diffusion", "Layers", "TensorCore", "Storage",
                "Reports",
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["diffprune", "Workflows", "Diffusion", "Layers", "TensorCore", "Storage"]),
    ]
)
