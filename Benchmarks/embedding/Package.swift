// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "embedding-benchmark",
  dependencies: [.package(name: "quarry", path: "../..")],
  targets: [
    .executableTarget(
      name: "embedding-benchmark", dependencies: [.product(name: "QuarryLocalModels", package: "quarry")],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
