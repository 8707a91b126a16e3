// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "search-benchmark",
  dependencies: [.package(name: "quarry", path: "../..")],
  targets: [
    .executableTarget(
      name: "search-benchmark", dependencies: [.product(name: "QuarrySQLiteStore", package: "quarry")],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
