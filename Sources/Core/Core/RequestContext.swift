/// A W3C trace id: 32 lower-case hex digits, not all zero. Source: https://www.w3.org/TR/trace-context/
public struct TraceID: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Creates a random id.
  public static func random() -> TraceID {
    var generator = SystemRandomNumberGenerator()
    func hex(_ value: UInt64) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return TraceID(rawValue: hex(generator.next() | 1) + hex(generator.next()))
  }

  /// Reads the trace id of a `traceparent` header (`00-<trace>-<span>-<flags>`, lower-case hex digits); nil when
  /// malformed or when an id is all zero. Versions after 00 may add fields at the end.
  public init?(traceparent: String) {
    let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].isHex(2), parts[0] != "ff", parts.count == 4 || parts[0] != "00",
      parts[1].isHex(32), parts[1].contains(where: { $0 != "0" }), parts[2].isHex(16),
      parts[2].contains(where: { $0 != "0" }), parts[3].isHex(2)
    else { return nil }
    self.init(rawValue: String(parts[1]))
  }

  /// Reads the root of an `X-Amzn-Trace-Id` header (`Root=1-<8 hex>-<24 hex>;…`); nil when malformed.
  /// Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
  public init?(amazonTraceHeader: String) {
    for field in amazonTraceHeader.split(separator: ";") {
      let trimmed = field.drop { $0 == " " }
      guard trimmed.hasPrefix("Root=") else { continue }
      let parts = trimmed.dropFirst("Root=".count).lowercased()
        .split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0] == "1", parts[1].isHex(8), parts[2].isHex(24),
        (parts[1] + parts[2]).contains(where: { $0 != "0" })
      else { return nil }
      self.init(rawValue: String(parts[1] + parts[2]))
      return
    }
    return nil
  }
}

extension Substring {
  /// Whether the text is `count` lower-case hex digits.
  fileprivate func isHex(_ count: Int) -> Bool {
    utf8.count == count
      && utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

/// What caused a request: only `live` traffic counts in metrics of quality and use.
public enum TrafficKind: String, Sendable, Codable, CaseIterable {
  /// People and programs asking.
  case live
  /// `quarry evaluate`.
  case evaluation
  /// An archived question asked again.
  case replay
  /// Scheduled checks of the service itself.
  case canary
}

/// Who asks, and what they may see.
public struct Caller: Sendable, Hashable {
  /// The key's id, or `local` for the command line and unauthenticated loopback.
  public var id: String
  /// The collections allowed; nil for all.
  public var allowedCollections: Set<CollectionName>?
  /// What the caller may do there.
  public var permission: KeyPermission

  /// Creates a caller.
  public init(
    id: String, allowedCollections: Set<CollectionName>? = nil, permission: KeyPermission = .write
  ) {
    self.id = id
    self.allowedCollections = allowedCollections
    self.permission = permission
  }

  /// The local user, who may see everything.
  public static let local = Caller(id: "local")

  /// Whether the caller may see `collection`.
  public func mayRead(_ collection: CollectionName) -> Bool {
    allowedCollections?.contains(collection) ?? true
  }
}

/// What every use case knows of the request it serves; every structured log line carries it.
public struct RequestContext: Sendable, Hashable {
  /// Who asks.
  public var caller: Caller
  /// The application's name, from configuration.
  public var app: String
  /// The environment's name, such as `production`.
  public var environment: String
  /// The trace.
  public var traceID: TraceID
  /// What caused the request.
  public var traffic: TrafficKind
  /// When the caller stops waiting; nil for never.
  public var deadline: ContinuousClock.Instant?

  /// Creates a context.
  public init(
    caller: Caller = .local, app: String = "quarry", environment: String = "development",
    traceID: TraceID = .random(), traffic: TrafficKind = .live, deadline: ContinuousClock.Instant? = nil
  ) {
    self.caller = caller
    self.app = app
    self.environment = environment
    self.traceID = traceID
    self.traffic = traffic
    self.deadline = deadline
  }
}
