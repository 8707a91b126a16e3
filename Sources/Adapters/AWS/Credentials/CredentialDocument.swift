import AWSSigning
import FoundationEssentials

/// The JSON in which credential processes, containers and instances give keys.
struct CredentialDocument: Decodable {
  var Version: Int?
  var AccessKeyId: String?
  var SecretAccessKey: String?
  var SessionToken: String?
  var Token: String?
  var Expiration: String?
  var Code: String?
  var Message: String?

  /// - Throws: ``AWSError`` naming `link` when keys are missing or the time cannot be read.
  static func credentials(in bytes: [UInt8], link: String) throws -> AWSCredentials {
    guard let document = try? JSONDecoder().decode(CredentialDocument.self, from: Data(bytes)) else {
      throw AWSError.credentials(link, "the answer is not JSON of the expected form", remedy: "Check what gives them.")
    }
    if let code = document.Code, code != "Success" {
      throw AWSError.credentials(
        link, "it answers \(code)", remedy: document.Message ?? "Check the role that is attached.")
    }
    guard let id = document.AccessKeyId, let secret = document.SecretAccessKey else {
      throw AWSError.credentials(link, "the answer holds no keys", remedy: "Check what gives them.")
    }
    var expiration: Date?
    if let text = document.Expiration {
      expiration = ISO8601.parse(text)
      if expiration == nil {
        throw AWSError.credentials(link, "their end '\(text)' is no time", remedy: "Check what gives them.")
      }
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: document.SessionToken ?? document.Token,
      expiration: expiration)
  }
}

/// Times such as `2026-02-28T23:59:07Z`, `…+00:00`, with or without fractions of a second.
enum ISO8601 {
  static func parse(_ text: String) -> Date? {
    // The SSO cache of older CLIs writes `UTC` for `Z`.
    var text = text.hasSuffix("UTC") ? text.dropLast(3) + "Z" : text
    if let dot = text.firstIndex(of: ".") {
      let end = text[text.index(after: dot)...].firstIndex { !$0.isNumber } ?? text.endIndex
      text.removeSubrange(dot..<end)
    }
    return try? Date(text, strategy: .iso8601)
  }
}
