import Configuration
import FoundationEssentials
import Service
import Testing

@Suite struct ConfigurationDocumentationTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

  private static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: "\(root)/\(path)")), as: UTF8.self)
  }

  @Test func everyKeyStandsInTheDocumentation() throws {
    let keys = try LoadedConfiguration.load(path: nil, environment: ["HOME": "/nowhere"]).knownKeys
    let documentation = try Self.text("docs/configuration.md")
    #expect(keys.count > 40)
    for key in keys {
      #expect(
        documentation.contains("| `\(key.key)` | \(key.type)"),
        "docs/configuration.md lacks \(key.key): run scripts/check-docs --write")
    }
  }

  @Test func theCommittedDefaultsAreTheEmbeddedOnes() throws {
    #expect(try Self.text("config/default.yaml") == Self.text("Sources/Application/Service/default.yaml"))
    let embedded = try LoadedConfiguration.load(path: nil, environment: ["HOME": "/nowhere"])
    let committed = try LoadedConfiguration.load(
      path: "\(Self.root)/config/default.yaml", environment: ["HOME": "/nowhere"])
    #expect(embedded.effectiveValues.map(\.value) == committed.effectiveValues.map(\.value))
  }

  @Test func anUnknownVariableIsRefused_namingTheNearestKey() throws {
    let error = #expect(throws: ConfigurationError.self) {
      try LoadedConfiguration.load(path: nil, environment: ["HOME": "/nowhere", "QUARRY_RETRIEVAL_TOPK": "3"])
    }
    #expect(error.map { "\($0)" }?.contains("QUARRY_RETRIEVAL_TOP_K") == true)
  }
}
