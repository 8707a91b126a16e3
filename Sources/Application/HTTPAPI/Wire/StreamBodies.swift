import Core

/// Data of the server-sent event `passages`.
public struct PassagesEventBody: Codable, Sendable, Hashable {
  /// The passages, best first.
  public var passages: [PassageBody]
}

/// Data of the server-sent event `token`.
public struct TokenEventBody: Codable, Sendable, Hashable {
  /// More of the answer's text.
  public var text: String
}
