/// What is put before a chunk's text when it is embedded; the text cited never has it.
public enum EmbeddedPrefix: String, Sendable, Codable, CaseIterable {
  /// Nothing: the text is embedded as cited.
  case none
  /// The heading path.
  case headings
  /// The document's title and the heading path.
  case titleAndHeadings = "title_and_headings"
}

/// How documents are cut into chunks. Lengths are tokens of the embedder, or characters where it declares those.
public struct ChunkingSettings: Sendable, Hashable {
  /// The length a chunk grows to, prefix included; the embedder's own limit is never passed. At least 32.
  public var target: Int
  /// The part of a chunk that repeats the end of the one before, 0 to 0.5.
  public var overlap: Double
  /// Sections shorter than this part of the target are merged with their neighbours, 0 to 1.
  public var floor: Double
  /// What is put before the embedded text.
  public var prefix: EmbeddedPrefix
  /// The part of the target that the prefix may take, 0 to 0.5; outer headings are dropped first.
  public var prefixShare: Double

  /// Creates settings; the defaults give about 180 words of English a chunk with a 256-token model.
  public init(
    target: Int = 254, overlap: Double = 0.15, floor: Double = 0.25, prefix: EmbeddedPrefix = .titleAndHeadings,
    prefixShare: Double = 0.2
  ) {
    self.target = max(32, target)
    self.overlap = min(0.5, max(0, overlap))
    self.floor = min(1, max(0, floor))
    self.prefix = prefix
    self.prefixShare = min(0.5, max(0, prefixShare))
  }

  /// All settings in a few characters, for the pipeline version.
  var summary: String {
    func percent(_ value: Double) -> Int { Int((value * 100).rounded()) }
    let initial =
      switch prefix {
      case .none: "n"
      case .headings: "h"
      case .titleAndHeadings: "th"
      }
    return "\(target).\(percent(overlap)).\(percent(floor)).\(initial)\(percent(prefixShare))"
  }
}
