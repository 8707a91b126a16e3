public import Core
public import FoundationEssentials

/// How much a log line matters.
public enum LogLevel: String, Sendable, CaseIterable, Comparable {
  /// For those who debug Quarry.
  case debug
  /// What happens in ordinary work.
  case info
  /// Something is not as it should be, and work goes on.
  case warning
  /// Something failed.
  case error
  /// Nothing is written.
  case off

  private var order: Int {
    switch self {
    case .debug: 0
    case .info: 1
    case .warning: 2
    case .error: 3
    case .off: 4
    }
  }

  /// Orders levels from `debug` to `off`.
  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.order < right.order }
}

/// The value of a field of a log line.
public enum LogValue: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral
{
  /// Text.
  case string(String)
  /// A whole number.
  case int(Int)
  /// A number; written as null when it is not finite.
  case double(Double)
  /// Yes or no.
  case bool(Bool)

  /// Text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// Yes or no.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
  /// One JSON object a line: time, level, message, trace id, caller, then the fields.
  case json
  /// One readable line.
  case text
}

/// A structured log: static messages with fields, so that lines can be counted and searched.
public struct StructuredLog: Sendable {
  /// Lines below this level are not made.
  public let level: LogLevel
  private let format: LogFormat
  private let now: @Sendable () -> Date
  private let write: @Sendable (String) -> Void

  /// Creates a log.
  /// - Parameters:
  ///   - level: The lowest level written.
  ///   - format: How lines look.
  ///   - now: The clock.
  ///   - write: Takes one line without its line end; called from any thread.
  public init(
    level: LogLevel, format: LogFormat, now: @escaping @Sendable () -> Date = { Date() },
    write: @escaping @Sendable (String) -> Void
  ) {
    self.level = level
    self.format = format
    self.now = now
    self.write = write
  }

  /// A log that writes nothing.
  public static let silent = StructuredLog(level: .off, format: .text) { _ in }

  /// Writes a line when `level` is enabled; the fields are not evaluated otherwise.
  public func log(
    _ level: LogLevel, _ message: StaticString, context: RequestContext? = nil,
    _ fields: @autoclosure () -> [(String, LogValue)] = []
  ) {
    guard level >= self.level, self.level != .off else { return }
    var line = ""
    switch format {
    case .json:
      line = "{\"time\":\"\(EventTime.format(now()))\",\"level\":\"\(level.rawValue)\",\"message\":"
      Self.quote("\(message)", into: &line)
      if let context {
        line += ",\"trace_id\":\"\(context.traceID)\",\"traffic\":\"\(context.traffic.rawValue)\",\"caller\":"
        Self.quote(context.caller.id, into: &line)
        line += ",\"app\":"
        Self.quote(context.app, into: &line)
        line += ",\"environment\":"
        Self.quote(context.environment, into: &line)
      }
      for (key, value) in fields() {
        line += ","
        // Readers of JSON differ in what they make of a key that stands twice.
        Self.quote(Self.envelopeKeys.contains(key) ? key + "_" : key, into: &line)
        line += ":"
        Self.append(value, into: &line)
      }
      line += "}"
    case .text:
      line = "\(level.rawValue): \(message)"
      for (key, value) in fields() {
        line += " \(key)="
        Self.append(value, into: &line)
      }
      if let context { line += " trace_id=\(context.traceID)" }
    }
    write(line)
  }

  /// Logs an error with its code, message and remedy.
  public func log(_ level: LogLevel, _ message: StaticString, error: any Error, context: RequestContext? = nil) {
    if let error = error as? any CategorizedError {
      log(
        level, message, context: context,
        [
          ("error_code", .string(error.code)), ("error", .string(error.message)),
          ("remedy", .string(error.remedy ?? "")),
          ("underlying", .string(error.underlying.map { "\($0)" } ?? "")),
        ].filter { $0.1 != .string("") })
    } else {
      log(level, message, context: context, [("error", .string("\(error)"))])
    }
  }

  private static let envelopeKeys: Set<String> = [
    "time", "level", "message", "trace_id", "traffic", "caller", "app", "environment",
  ]

  private static func append(_ value: LogValue, into line: inout String) {
    switch value {
    case .string(let text): quote(text, into: &line)
    case .int(let number): line += String(number)
    case .double(let number): line += number.isFinite ? String(number) : "null"
    case .bool(let flag): line += flag ? "true" : "false"
    }
  }

  /// Appends `text` as a JSON string. Source: RFC 8259, section 7.
  static func quote(_ text: String, into line: inout String) {
    line += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": line += "\\\""
      case "\\": line += "\\\\"
      case "\n": line += "\\n"
      case "\r": line += "\\r"
      case "\t": line += "\\t"
      // Beyond what JSON demands: terminals obey C1 controls, and some readers end lines at U+0085, U+2028, U+2029.
      case let scalar
      where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x2028...0x2029).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: line.unicodeScalars.append(scalar)
      }
    }
    line += "\""
  }
}
