public import Core

/// Why a request cannot be served, or the server not started.
public struct HTTPAPIError: CategorizedError {
  /// A stable dotted code, such as `request.unknown_field`.
  public let code: String
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?
  /// The field or parameter at fault; nil when it is none.
  public let field: String?
  /// Where a malformed body goes wrong; nil when it does not.
  public let position: TextPosition?
  /// A status more exact than the category's; nil for the category's own.
  let status: Int?
  /// The methods that a path has, for the `Allow` header of 405; nil otherwise.
  let allowedMethods: [String]?

  /// A place in a text.
  public struct TextPosition: Sendable, Hashable, Codable {
    /// The line, from 1.
    public var line: Int
    /// The column, from 1, in bytes.
    public var column: Int

    package init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  init(
    code: String, category: ErrorCategory, message: String, remedy: String? = nil, field: String? = nil,
    position: TextPosition? = nil, status: Int? = nil, allowedMethods: [String]? = nil,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.field = field
    self.position = position
    self.status = status
    self.allowedMethods = allowedMethods
    self.underlying = underlying
  }

  static func unknown(
    _ what: String, _ name: String, nearest: String?, known: [String], code: String
  ) -> HTTPAPIError {
    HTTPAPIError(
      code: code, category: .invalidInput, message: "there is no \(what) '\(name.clipped)'",
      remedy: nearest.map { "Did you mean '\($0)'?" } ?? "There are: \(known.joined(separator: ", ")).",
      field: name.clipped)
  }

  static func documentMissing(_ id: String) -> HTTPAPIError {
    HTTPAPIError(
      code: "document.not_found", category: .notFound, message: "there is no document '\(id.clipped)'",
      remedy: "List the documents with GET /v1/documents.")
  }
}

extension String {
  /// The text, or its beginning when it is too long to be repeated in a message.
  var clipped: String {
    unicodeScalars.count <= 100 ? self : String(String.UnicodeScalarView(unicodeScalars.prefix(100))) + "…"
  }
}
