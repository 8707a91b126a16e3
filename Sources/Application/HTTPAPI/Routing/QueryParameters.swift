import Core
import HTTPServer
import Spelling

/// The query parameters of a request: only the known ones, each at most once.
struct QueryParameters {
  private var values: [String: String] = [:]

  /// Reads the parameters that `route` has.
  init(_ head: HTTPRequestHead, of route: Route) throws(HTTPAPIError) {
    let known = route.parameters
    for item in head.queryItems {
      guard known.contains(item.name) else {
        guard !known.isEmpty else {
          throw HTTPAPIError(
            code: "request.unknown_parameter", category: .invalidInput,
            message: "there is no parameter '\(item.name.clipped)'; \(route.template) has none",
            remedy: "Leave it out.", field: item.name.clipped)
        }
        throw .unknown(
          "parameter", item.name, nearest: nearestWord(to: item.name, in: known), known: known,
          code: "request.unknown_parameter")
      }
      guard values.updateValue(item.value, forKey: item.name) == nil else {
        throw HTTPAPIError(
          code: "request.repeated_parameter", category: .invalidInput,
          message: "the parameter '\(item.name)' is given twice", remedy: "Give it once.", field: item.name)
      }
    }
  }

  /// The value; nil when the parameter is absent.
  func text(_ name: String) -> String? { values[name] }

  /// The value as a whole number within `range`; nil when the parameter is absent.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(HTTPAPIError) -> Int? {
    guard let text = values[name] else { return nil }
    return try Self.integer(text, named: name, in: range)
  }

  /// A whole number in decimal digits; no sign, no blanks.
  static func integer(_ text: String, named name: String, in range: ClosedRange<Int>) throws(HTTPAPIError) -> Int {
    let isDecimal = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isDecimal, let number = Int(text), range.contains(number) else {
      throw HTTPAPIError(
        code: "request.invalid_parameter", category: .invalidInput,
        message: range.upperBound == .max
          ? "'\(name)' must be a whole number from \(range.lowerBound) on"
          : "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound)",
        remedy: "Give such a number.", field: name)
    }
    return number
  }
}
