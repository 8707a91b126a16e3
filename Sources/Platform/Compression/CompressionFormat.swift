/// What surrounds the deflated data (RFC 1951).
public enum CompressionFormat: Sendable, Hashable, CaseIterable {
  /// Header and CRC-32 (RFC 1952): `.gz` files, HTTP's `gzip`. May consist of several members, one after the other.
  case gzip
  /// Short header and Adler-32 (RFC 1950): HTTP's `deflate`.
  case zlib
  /// Nothing: for data whose length and integrity something else keeps.
  case raw

  /// How zlib is told of the format (its manual, `deflateInit2`): the logarithm of the window size, 15, and more.
  var windowBits: Int32 {
    switch self {
    case .gzip: 15 + 16
    case .zlib: 15
    case .raw: -15
    }
  }
}

/// Compressed data that cannot be read.
public struct CompressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure; the raw values are stable.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// The data is not of the format, or a checksum does not fit.
    case corrupt = "compression.corrupt"
    /// The data ends too early.
    case truncated = "compression.truncated"
    /// Something follows the end of the data.
    case trailingData = "compression.trailing_data"
    /// The content is larger than the caller allows.
    case tooLarge = "compression.too_large"
  }

  /// What failed.
  public let code: Code
  /// A sentence about it.
  public let message: String
  /// What to do about it.
  public var remedy: String {
    switch code {
    case .corrupt, .trailingData: "Get the data again from where it came from."
    case .truncated: "Finish the transfer, or use what could be read."
    case .tooLarge: "Raise the limit if the data can be trusted."
    }
  }
  /// Code, message and remedy in one line.
  public var description: String { "\(code.rawValue): \(message). \(remedy)" }
}
