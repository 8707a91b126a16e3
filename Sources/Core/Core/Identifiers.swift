/// A string id of one kind: ids of different kinds cannot be mixed up.
public protocol StringIdentifier: RawRepresentable, Codable, Hashable, Sendable, Comparable, CustomStringConvertible
where RawValue == String {
  /// Wraps a string that is already a valid id of this kind.
  init(rawValue: String)
}

extension StringIdentifier {
  /// The id as text.
  public var description: String { rawValue }

  /// Whether the ids are the same text, scalar by scalar. `String` also takes composed and decomposed letters for
  /// the same, but files of both names can stand side by side.
  public static func == (left: Self, right: Self) -> Bool {
    left.rawValue == right.rawValue && left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
  }

  /// Orders ids by their Unicode scalars, as databases do.
  public static func < (left: Self, right: Self) -> Bool {
    left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
  }

  /// Reads the id from a single JSON string.
  public init(from decoder: any Decoder) throws {
    self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the id as a single JSON string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

/// The lasting identity of a document: 32 hex digits, the first 16 bytes of SHA-256 over the
/// length-prefixed UTF-8 fields (collection, first source URI, generation). A rename keeps it.
public struct DocumentID: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Whether `text` may be a document's id: 32 lower-case hexadecimal digits.
  public static func isValid(_ text: String) -> Bool {
    text.utf8.count == 32
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

/// The identity of one chunk of one version of a document under one pipeline version: 32 hex digits, a hash
/// over (document id, version, pipeline version, ordinal).
public struct ChunkID: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }
}

/// The version of a document: SHA-256 of its bytes, 64 hex digits.
public struct ContentVersion: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }
}

/// SHA-256 of the exact text that was embedded, 64 hex digits: with an embedding identity, the key of the
/// embedding cache.
public struct TextHash: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }
}

/// Names extractor, hygiene and chunker together, for example `poppler-1/hygiene-1/chunks-1`. Documents made
/// by another pipeline version are stale, not wrong.
public struct PipelineVersion: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }
}

/// The id of one answer, refusals and failures included; feedback and evaluation refer to it.
public struct AnswerID: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }
}

/// The id of a conversation, whose earlier turns give a question its context.
public struct ConversationID: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Whether `text` may name a conversation: 1 to 128 letters, digits, `-`, `_`, `.` or `:`.
  public static func isValid(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 128
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: ":"):
          true
        default: false
        }
      }
  }
}

/// A collection of documents: part of ids, filters and permissions.
public struct CollectionName: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The collection used when none is named.
  public static let `default` = CollectionName(rawValue: "default")

  /// Whether `text` may name a collection: 1 to 64 of lower-case letters, digits, `-`, `_` and `.`, beginning
  /// with a letter or digit (so that every backend and file system can carry the name).
  public static func isValid(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 64 else { return false }
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    return isAlphanumeric(first)
      && text.utf8.allSatisfy {
        isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
      }
  }
}

/// Where a document's bytes come from: `file://` + absolute path with links resolved, `s3://bucket/key`, or
/// `upload://` + collection + `/` + name. File paths are carried as they are, not percent-encoded.
public struct SourceURI: StringIdentifier {
  /// The id as text.
  public let rawValue: String
  /// Wraps an id; nothing is checked.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The URI of a local file by its absolute path, links already resolved.
  public init(filePath: String) { rawValue = "file://" + filePath }

  /// The absolute path of a `file://` URI; nil for other schemes.
  public var filePath: String? {
    rawValue.hasPrefix("file://") ? String(rawValue.dropFirst("file://".count)) : nil
  }

  /// The URI of an upload.
  public init(uploadNamed name: String, collection: CollectionName) {
    rawValue = "\(Self.uploads.rawValue)\(collection.rawValue)/\(name)"
  }

  /// The root of all uploads.
  public static let uploads = SourceURI(rawValue: "upload://")

  /// Whether the document was uploaded.
  public var isUpload: Bool { rawValue.hasPrefix(Self.uploads.rawValue) }

  /// What every URI below this one begins with.
  public var prefixOfDescendants: String { rawValue.hasSuffix("/") ? rawValue : rawValue + "/" }

  /// The last path component: the name shown in citations.
  public var name: String {
    rawValue.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? rawValue
  }
}
