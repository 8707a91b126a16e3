// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "httpclient-benchmark",
  dependencies: [.package(name: "quarry", path: "../..")],
  targets: [
    .executableTarget(
      name: "httpclient-benchmark", dependencies: [.product(name: "QuarryHTTPClient", package: "quarry")],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
