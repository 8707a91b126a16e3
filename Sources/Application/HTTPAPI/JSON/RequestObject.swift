import Core
import Spelling

/// A JSON object of a request, read field by field: unknown fields and wrong types are refused by name.
///
/// A field that is null counts as absent, as generated clients send it.
struct RequestObject {
  private let value: JSONValue
  private let path: String

  /// Reads a body that must be an object.
  init(body: [UInt8]) throws {
    do {
      value = try JSONReader.read(body)
    } catch {
      throw HTTPAPIError(
        code: "request.malformed_json", category: .invalidInput,
        message: "the body is not JSON: \(error.message), at line \(error.line), column \(error.column)",
        remedy: "Send one JSON object.", position: .init(line: error.line, column: error.column))
    }
    path = ""
    guard case .object = value else {
      throw HTTPAPIError(
        code: "request.wrong_type", category: .invalidInput, message: "the body is \(value.kind), not an object",
        remedy: "Send one JSON object.")
    }
  }

  private init(_ value: JSONValue, path: String) {
    self.value = value
    self.path = path
  }

  /// Refuses fields that are not among `known`, naming the nearest one.
  func allowOnly(_ known: [String]) throws {
    for name in value.names where !known.contains(name) {
      throw HTTPAPIError.unknown(
        "field", path + name, nearest: nearestWord(to: name, in: known), known: known, code: "request.unknown_field")
    }
  }

  private func field(_ name: String) -> JSONValue? {
    guard let field = value[name], field != .null else { return nil }
    return field
  }

  private func wrongType(_ name: String, _ found: JSONValue, wanted: String) -> HTTPAPIError {
    HTTPAPIError(
      code: "request.wrong_type", category: .invalidInput,
      message: "the field '\(path)\(name)' is \(found.kind), not \(wanted)", remedy: "Send \(wanted).",
      field: path + name)
  }

  /// A text; nil when it is absent.
  func string(_ name: String) throws -> String? {
    guard let found = field(name) else { return nil }
    guard case .string(let text) = found else { throw wrongType(name, found, wanted: "a string") }
    return text
  }

  /// A text that must be there.
  func requiredString(_ name: String) throws -> String {
    guard let text = try string(name) else {
      throw HTTPAPIError(
        code: "request.missing_field", category: .invalidInput, message: "the field '\(path)\(name)' is missing",
        remedy: "Send it as a string.", field: path + name)
    }
    return text
  }

  /// A truth value; nil when it is absent.
  func bool(_ name: String) throws -> Bool? {
    guard let found = field(name) else { return nil }
    guard case .bool(let flag) = found else { throw wrongType(name, found, wanted: "a boolean") }
    return flag
  }

  /// A whole number within `range`; nil when it is absent.
  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let found = field(name) else { return nil }
    guard case .number(let number) = found, number == number.rounded(.towardZero) else {
      throw wrongType(name, found, wanted: "a whole number")
    }
    guard let whole = Int(exactly: number), range.contains(whole) else {
      throw HTTPAPIError(
        code: "request.out_of_range", category: .invalidInput,
        message: "the field '\(path)\(name)' must be from \(range.lowerBound) to \(range.upperBound)",
        remedy: "Send a number in that range.", field: path + name)
    }
    return whole
  }

  /// An object within; nil when it is absent.
  func object(_ name: String) throws -> RequestObject? {
    guard let found = field(name) else { return nil }
    guard case .object = found else { throw wrongType(name, found, wanted: "an object") }
    return RequestObject(found, path: path + name + ".")
  }

  /// An array of texts; nil when it is absent.
  func strings(_ name: String, atMost limit: Int) throws -> [String]? {
    guard let found = field(name) else { return nil }
    guard case .array(let elements) = found else { throw wrongType(name, found, wanted: "an array of strings") }
    guard elements.count <= limit else {
      throw HTTPAPIError(
        code: "request.out_of_range", category: .invalidInput,
        message: "the field '\(path)\(name)' has \(elements.count) elements; the limit is \(limit)",
        remedy: "Send fewer.", field: path + name)
    }
    return try elements.enumerated().map { index, element in
      guard case .string(let text) = element else {
        throw wrongType("\(name)[\(index)]", element, wanted: "a string")
      }
      return text
    }
  }

  /// An object whose values are all texts; nil when it is absent.
  func texts(_ name: String) throws -> [String: String]? {
    guard let found = field(name) else { return nil }
    guard case .object(let members) = found else { throw wrongType(name, found, wanted: "an object of strings") }
    var texts: [String: String] = [:]
    for member in members {
      guard case .string(let text) = member.value else {
        throw wrongType("\(name).\(member.name)", member.value, wanted: "a string")
      }
      texts[member.name] = text
    }
    return texts
  }
}
