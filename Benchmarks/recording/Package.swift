// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "recording-benchmark",
  dependencies: [.package(name: "quarry", path: "../..")],
  targets: [
    .executableTarget(
      name: "recording-benchmark", dependencies: [.product(name: "QuarryTelemetry", package: "quarry")],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
