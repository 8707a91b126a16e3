// swift-tools-version: 6.2
import PackageDescription

// Measures PDF reading, isolation included. A package of its own, so that the product has no part of it and only the
// few targets concerned are built; `Sources` is a link to the project's.
let package = Package(
  name: "pdf-benchmark",
  targets: [
    .systemLibrary(name: "CPoppler", path: "Sources/CLibraries/CPoppler", pkgConfig: "poppler-glib"),
    .target(name: "CLinux", path: "Sources/CLibraries/CLinux", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "Concurrency", path: "Sources/Platform/Concurrency", exclude: ["README.md"]),
    .target(
      name: "ChildProcess", dependencies: ["CLinux", "Concurrency"], path: "Sources/Platform/ChildProcess",
      exclude: ["README.md"]),
    .target(name: "Core", path: "Sources/Core/Core"),
    .target(name: "PDFPipe", path: "Sources/Adapters/PDFPipe"),
    .executableTarget(
      name: "quarry-pdf-reader", dependencies: ["PDFPipe", "CPoppler"], path: "Sources/Adapters/quarry-pdf-reader"),
    .target(
      name: "PDFReading", dependencies: ["Core", "PDFPipe", "ChildProcess", "Concurrency"],
      path: "Sources/Adapters/PDFReading"),
    .executableTarget(name: "pdf-benchmark", dependencies: ["Core", "PDFReading"], path: "Bench"),
  ],
  swiftLanguageModes: [.v6]
)
