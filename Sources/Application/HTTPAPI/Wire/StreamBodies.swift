import Core

/// Data of the server-sent event `passages`.
public struct PassagesEventBody: Codable, Sendable, Hashable {
  /// The passages, best first.
  public var passages: [PassageBody]

  package init(passages: [PassageBody]) { self.passages = passages }
}

/// Data of the server-sent event `token`.
public struct TokenEventBody: Codable, Sendable, Hashable {
  /// More of the answer's text.
  public var text: String

  package init(text: String) { self.text = text }
}
