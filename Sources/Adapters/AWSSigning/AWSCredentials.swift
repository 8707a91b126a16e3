public import FoundationEssentials

/// Keys of an AWS identity. They print without their secrets.
public struct AWSCredentials: Sendable, Hashable {
  /// Names the key; not secret, and part of every signature.
  public var accessKeyID: String
  /// The secret that signatures are made with.
  public var secretAccessKey: String
  /// Goes with temporary keys; secret.
  public var sessionToken: String?
  /// When the keys stop working; nil for keys that do not end by themselves.
  public var expiration: Date?

  /// Creates credentials.
  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Date? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The key's name only.
  public var description: String { "AWSCredentials(\(accessKeyID))" }
  /// The key's name only.
  public var debugDescription: String { description }
  /// The key's name only, so that `dump` and test failures show no secret.
  public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
