// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "PruneAndDraw",
    // Elsewhere: .package(url: "…", branch: "main").
    dependencies: [.package(name: "diffprune", path: "../..")],
    targets: [
        .executableTarget(
            name: "PruneAndDraw",
            dependencies: [
                .product(name: "Diffusion", package: "diffprune"),
                .product(name: "Imagery", package: "diffprune"),
                .product(name: "ModelFolders", package: "diffprune"),
                .product(name: "Runs", package: "diffprune"),
                .product(name: "Workflows", package: "diffprune"),
            ])
    ]
)
