import Core

/// The name under which a document is uploaded: the last part of its URI.
public struct UploadName: Sendable, Hashable {
  /// The name.
  public let text: String

  /// Most bytes of a name.
  public static let longest = 255

  /// Takes a name: 1 to 255 bytes, without `/` and control characters, without white space at its ends; not `.`, `..`,
  /// nor 32 hexadecimal digits, which would look like a document's id.
  /// - Throws: `upload.invalid_name`.
  public init(_ text: String) throws {
    let scalars = text.unicodeScalars
    let isPlain = scalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
      default: scalar != "/"
      }
    }
    let hasBlankEnd = scalars.first?.properties.isWhitespace == true || scalars.last?.properties.isWhitespace == true
    guard !text.isEmpty, text.utf8.count <= Self.longest, isPlain, !hasBlankEnd, text != ".", text != "..",
      !DocumentID.isValid(text)
    else {
      throw IngestionError(
        code: "upload.invalid_name", category: .invalidInput, message: "this cannot name a document",
        remedy: "Use 1 to \(Self.longest) bytes without '/' and control characters, such as report.pdf.")
    }
    self.text = text
  }
}
