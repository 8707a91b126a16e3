// swift-tools-version: 6.2
import PackageDescription

// Rings: a target may depend only on targets of rings below its own, or on earlier ones of its own ring.
// scripts/check-rings compares every `import` with the dependencies declared here.

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

func module(_ ring: String, _ name: String, uses: [String] = [], resources: [Resource] = []) -> Target {
  .target(
    name: name, dependencies: uses.map { .init(stringLiteral: $0) }, path: "Sources/\(ring)/\(name)",
    exclude: ring == "Platform" ? ["README.md"] : [], resources: resources, swiftSettings: strict)
}

func tool(_ ring: String, _ name: String, uses: [String]) -> Target {
  .executableTarget(
    name: name, dependencies: uses.map { .init(stringLiteral: $0) }, path: "Sources/\(ring)/\(name)",
    swiftSettings: strict)
}

func tests(of name: String, uses: [String], exclude: [String] = [], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: ([name] + uses).map { .init(stringLiteral: $0) },
    path: "Tests/\(name)Tests", exclude: exclude, resources: resources, swiftSettings: strict)
}

func system(_ name: String, pkgConfig: String, apt: [String]) -> Target {
  .systemLibrary(
    name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig, providers: [.apt(apt)])
}

let cLibraries: [Target] = [
  system("CPoppler", pkgConfig: "poppler-glib", apt: ["libpoppler-glib-dev"]),
  system("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: ["libmicrohttpd-dev"]),
  system("CSQLite", pkgConfig: "sqlite3", apt: ["libsqlite3-dev"]),
  system("CYAML", pkgConfig: "yaml-0.1", apt: ["libyaml-dev"]),
  system("CCrypto", pkgConfig: "libcrypto", apt: ["libssl-dev"]),
  system("CCurl", pkgConfig: "libcurl", apt: ["libcurl4-openssl-dev"]),
  system("CXML", pkgConfig: "libxml-2.0", apt: ["libxml2-dev"]),
  system("CPCRE2", pkgConfig: "libpcre2-8", apt: ["libpcre2-dev"]),
  system("CZlib", pkgConfig: "zlib", apt: ["zlib1g-dev"]),
  .target(
    name: "CLinux", path: "Sources/CLibraries/CLinux",
    cSettings: [.define("_GNU_SOURCE"), .treatAllWarnings(as: .error)]),
  // Vector kernels need full optimisation in debug builds too: tests run the real model.
  .target(
    name: "CKernels", path: "Sources/CLibraries/CKernels",
    cSettings: [.unsafeFlags(["-O3"]), .treatAllWarnings(as: .error)]),
]

let platform: [Target] = [
  module("Platform", "Concurrency"),
  module("Platform", "Compression", uses: ["CZlib"]),
  module("Platform", "Cryptography", uses: ["CCrypto"]),
  module("Platform", "ChildProcess", uses: ["CLinux", "Concurrency"]),
  module("Platform", "Spelling"),
  module("Platform", "RegularExpressions", uses: ["CPCRE2"]),
  module("Platform", "ArgumentParsing", uses: ["Spelling"]),
  module("Platform", "Configuration", uses: ["CYAML", "Spelling"]),
  module("Platform", "SQLite", uses: ["CSQLite", "Concurrency"]),
  module("Platform", "HTTPClient", uses: ["CCurl", "Concurrency"]),
  module("Platform", "HTTPServer", uses: ["CMicroHTTPD", "Concurrency"]),
]

let core: [Target] = [
  module("Core", "Core"),
  module("Core", "Telemetry", uses: ["Core", "Concurrency", "Cryptography", "RegularExpressions"]),
]

let useCases: [Target] = [
  module("UseCases", "Ingestion", uses: ["Core", "Telemetry", "Concurrency", "Cryptography"]),
  module(
    "UseCases", "Answering", uses: ["Core", "Telemetry", "Concurrency", "Cryptography"],
    resources: [
      .embedInCode("Generation/Templates/answer.v1.md"), .embedInCode("Generation/Templates/rewrite.v1.md"),
    ]),
  module("UseCases", "Insight", uses: ["Core", "Ingestion", "Answering"]),
]

let adapters: [Target] = [
  module("Adapters", "AWSSigning", uses: ["Cryptography"]),
  module(
    "Adapters", "AWS",
    uses: [
      "Core", "HTTPClient", "AWSSigning", "Compression", "Cryptography", "ChildProcess", "Concurrency", "CXML",
    ]),
  module("Adapters", "OpenAIModels", uses: ["Core", "HTTPClient"]),
  module("Adapters", "PDFPipe"),
  tool("Adapters", "quarry-pdf-reader", uses: ["PDFPipe", "CPoppler"]),
  module("Adapters", "PDFReading", uses: ["Core", "PDFPipe", "ChildProcess", "Concurrency"]),
  module(
    "Adapters", "LocalFiles",
    uses: ["Core", "Telemetry", "Compression", "Cryptography", "Concurrency", "CLinux"]),
  module(
    "Adapters", "LocalModels", uses: ["Core", "Cryptography", "CKernels", "Concurrency"]),
  module("Adapters", "IndexEncoding", uses: ["Core"]),
  module(
    "Adapters", "SQLiteStore",
    uses: ["Core", "IndexEncoding", "SQLite", "Cryptography", "CKernels", "Concurrency"]),
  module(
    "Adapters", "OpenSearchStore",
    uses: ["Core", "IndexEncoding", "HTTPClient", "AWSSigning", "Cryptography", "Concurrency"]),
]

let application: [Target] = [
  module(
    "Application", "HTTPAPI",
    uses: [
      "Core", "Telemetry", "Ingestion", "Answering", "HTTPServer", "Cryptography", "Concurrency", "Spelling",
    ], resources: [.embedInCode("OpenAPI/openapi.json")]),
  module(
    "Application", "Service",
    uses: [
      "Core", "Telemetry", "Ingestion", "Answering", "HTTPAPI", "PDFReading", "LocalFiles", "LocalModels",
      "SQLiteStore", "OpenSearchStore", "AWS", "OpenAIModels", "HTTPClient", "Configuration", "Concurrency",
    ], resources: [.embedInCode("default.yaml")]),
  module(
    "Application", "Commands",
    uses: [
      "Core", "Telemetry", "Ingestion", "Answering", "Insight", "HTTPAPI", "Service", "ArgumentParsing",
      "Configuration", "Concurrency",
    ]),
  tool("Application", "quarry", uses: ["Commands"]),
]

let testing: [Target] = [
  .target(
    name: "QuarryTesting", dependencies: ["Core", "ChildProcess", "Concurrency"], path: "Tests/QuarryTesting",
    swiftSettings: strict),
  tests(of: "Concurrency", uses: []),
  tests(of: "Compression", uses: []),
  tests(of: "Cryptography", uses: []),
  tests(of: "ChildProcess", uses: ["Concurrency"]),
  tests(of: "Spelling", uses: []),
  tests(of: "RegularExpressions", uses: []),
  tests(of: "ArgumentParsing", uses: []),
  tests(of: "Configuration", uses: []),
  tests(of: "SQLite", uses: ["Concurrency"]),
  tests(of: "HTTPServer", uses: ["Concurrency"]),
  tests(of: "HTTPClient", uses: ["HTTPServer", "Concurrency"]),
  tests(
    of: "AWS",
    uses: [
      "AWSSigning", "Core", "Cryptography", "HTTPClient", "HTTPServer", "ChildProcess", "Compression", "Concurrency",
      "LocalFiles", "QuarryTesting",
    ], exclude: ["Contract"]),
  tests(of: "OpenAIModels", uses: ["Core", "HTTPClient", "ChildProcess", "QuarryTesting"], exclude: ["Contract"]),
  tests(of: "AWSSigning", uses: [], resources: [.process("Vectors")]),
  tests(of: "Core", uses: ["QuarryTesting"]),
  tests(of: "Telemetry", uses: ["Core", "QuarryTesting"]),
  tests(of: "Ingestion", uses: ["Core", "Telemetry", "Concurrency", "LocalFiles", "QuarryTesting"]),
  tests(of: "Answering", uses: ["Core", "Telemetry", "Concurrency", "QuarryTesting"]),
  tests(of: "Insight", uses: ["Core", "Ingestion", "Answering", "Concurrency", "QuarryTesting"]),
  tests(
    of: "PDFReading", uses: ["Core", "ChildProcess", "Ingestion", "PDFPipe", "quarry-pdf-reader"],
    resources: [.copy("Fixtures")]),
  tests(of: "LocalFiles", uses: ["Core", "Telemetry", "Compression", "Concurrency", "QuarryTesting"]),
  tests(
    of: "LocalModels", uses: ["Core", "CKernels"], resources: [.copy("Fixtures")]),
  tests(of: "SQLiteStore", uses: ["Core", "Concurrency", "IndexEncoding", "SQLite", "QuarryTesting"]),
  tests(
    of: "OpenSearchStore",
    uses: ["Core", "HTTPClient", "Concurrency", "QuarryTesting"]),
  tests(
    of: "HTTPAPI",
    uses: ["Core", "Telemetry", "Ingestion", "Answering", "LocalFiles", "Concurrency", "QuarryTesting"]),
  tests(of: "Service", uses: ["Answering", "Configuration", "Core"]),
  tests(
    of: "Commands",
    uses: [
      "Core", "Ingestion", "Answering", "LocalModels", "HTTPAPI", "HTTPClient", "HTTPServer", "ArgumentParsing",
      "Compression", "Concurrency", "QuarryTesting", "quarry", "quarry-pdf-reader",
    ]),
]

let package = Package(
  name: "quarry",
  products: [
    .executable(name: "quarry", targets: ["quarry"]),
    .executable(name: "quarry-pdf-reader", targets: ["quarry-pdf-reader"]),
    // For Benchmarks/, which are packages of their own.
    .library(name: "QuarryLocalModels", targets: ["LocalModels", "Core"]),
    .library(name: "QuarrySQLiteStore", targets: ["SQLiteStore", "Core"]),
    .library(name: "QuarryHTTPClient", targets: ["HTTPClient"]),
    .library(name: "QuarryTelemetry", targets: ["Telemetry", "Core"]),
  ],
  targets: cLibraries + platform + core + useCases + adapters + application + testing,
  swiftLanguageModes: [.v6]
)
