/// Percent-encoding as AWS signs it: everything but RFC 3986's unreserved characters, in upper-case hexadecimal.
///
/// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (`UriEncode`).
public enum URIEncoding {
  /// Encodes a query name or value, or one segment of a path: a slash too.
  public static func component(_ text: String) -> String { encoded(text, keepsSlash: false) }

  /// Encodes a path and leaves its slashes.
  public static func path(_ text: String) -> String { encoded(text, keepsSlash: true) }

  /// A path of segments that may themselves hold slashes, as an ARN does.
  public static func path(segments: [String]) -> String { "/" + segments.map(component).joined(separator: "/") }

  private static func encoded(_ text: String, keepsSlash: Bool) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 16)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        bytes.append(byte)
      case UInt8(ascii: "/") where keepsSlash:
        bytes.append(byte)
      default:
        bytes.append(UInt8(ascii: "%"))
        bytes.append(digit(byte >> 4))
        bytes.append(digit(byte & 15))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }
}
