public import Core

/// A bucket and a key or prefix in it.
public struct S3Location: Sendable, Hashable {
  /// The bucket's name.
  public var bucket: String
  /// The key or prefix, not encoded; empty for the whole bucket.
  public var key: String

  /// Reads `s3://bucket/prefix`; nil when it is no such URI or the name can be no bucket's.
  ///
  /// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  public init?(_ uri: SourceURI) {
    guard uri.rawValue.hasPrefix("s3://") else { return nil }
    let rest = uri.rawValue.dropFirst("s3://".count)
    bucket = String(rest.prefix { $0 != "/" })
    key = String(rest.dropFirst(bucket.count + 1))
    let isName = bucket.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
    guard isName, (3...63).contains(bucket.utf8.count), !bucket.contains("..") else { return nil }
  }

  /// Creates a location.
  public init(bucket: String, key: String) {
    self.bucket = bucket
    self.key = key
  }

  /// `s3://bucket/key`.
  public var uri: SourceURI { SourceURI(rawValue: "s3://\(bucket)/\(key)") }
}
