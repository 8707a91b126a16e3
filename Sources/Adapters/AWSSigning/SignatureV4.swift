import Cryptography
public import FoundationEssentials

/// AWS Signature Version 4 for one service in one region.
///
/// Pure: the time is given, and nothing is sent. Source:
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
public struct SignatureV4: Sendable, Hashable {
  /// How a service reads the path of a signed request.
  public enum PathStyle: Sendable, Hashable {
    /// As it was sent: S3, where a key may hold anything.
    case asSent
    /// Without empty and dot segments, then encoded once more: every other service.
    case encodedAgain
  }

  /// What the service calls itself in signatures, such as `bedrock`, `s3`, `es`.
  public var service: String
  /// The region, such as `eu-central-1`.
  public var region: String
  /// How it reads the path.
  public var pathStyle: PathStyle
  /// Whether the payload's hash is sent as `x-amz-content-sha256` too: S3 and OpenSearch Serverless ask for it.
  public var sendsPayloadHash: Bool

  /// Creates a signer with the habits of the service.
  public init(service: String, region: String) {
    self.service = service
    self.region = region
    pathStyle = service == "s3" ? .asSent : .encodedAgain
    sendsPayloadHash = service == "s3" || service == "aoss"
  }

  /// Signs a request.
  /// - Parameter date: Now, by the service's clock; see ``ClockSkew``.
  public func sign(_ request: SignableRequest, credentials: AWSCredentials, date: Date) -> SignedRequest {
    let time = SigningTime(date)
    let hash = Self.hash(of: request.payload)
    var added = [SignableRequest.Field("X-Amz-Date", time.timestamp)]
    if sendsPayloadHash { added.append(.init("X-Amz-Content-Sha256", hash)) }
    if let token = credentials.sessionToken { added.append(.init("X-Amz-Security-Token", token)) }
    var complete = request
    let names = Set(added.map { $0.name.lowercased() })
    complete.headers.removeAll { names.contains($0.name.lowercased()) }
    complete.headers += added
    let canonical = CanonicalRequest(complete, payloadHash: hash, pathStyle: pathStyle)
    let scope = scope(time)
    let stringToSign = stringToSign(canonical, scope: scope, time: time)
    let signature = signature(of: stringToSign, secret: credentials.secretAccessKey, time: time)
    let authorization =
      "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(canonical.signedHeaders), "
      + "Signature=\(signature)"
    return SignedRequest(
      target: Self.target(request.path, canonical.query),
      headers: complete.headers + [.init("Authorization", authorization)], canonicalRequest: canonical.text,
      stringToSign: stringToSign)
  }

  /// Makes a link that carries its signature, for someone without credentials of their own.
  /// - Parameters:
  ///   - request: Headers other than `Host` must be sent by whoever follows the link. The payload is not covered.
  ///   - seconds: How long the link works, 1 to 604,800; temporary credentials end earlier.
  /// - Returns: Path and query.
  public func presign(
    _ request: SignableRequest, credentials: AWSCredentials, date: Date, seconds: Int
  ) -> String {
    let time = SigningTime(date)
    let scope = scope(time)
    var complete = request
    let names = CanonicalRequest(request, payloadHash: "", pathStyle: pathStyle).signedHeaders
    complete.query += [
      .init("X-Amz-Algorithm", Self.algorithm), .init("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope)"),
      .init("X-Amz-Date", time.timestamp), .init("X-Amz-Expires", String(min(max(1, seconds), 604_800))),
      .init("X-Amz-SignedHeaders", names),
    ]
    if let token = credentials.sessionToken { complete.query.append(.init("X-Amz-Security-Token", token)) }
    let hash = service == "s3" ? Self.unsignedPayload : Self.hash(of: request.payload)
    let canonical = CanonicalRequest(complete, payloadHash: hash, pathStyle: pathStyle)
    let text = stringToSign(canonical, scope: scope, time: time)
    let signature = signature(of: text, secret: credentials.secretAccessKey, time: time)
    return Self.target(request.path, canonical.query + "&X-Amz-Signature=" + signature)
  }

  // MARK: - Steps

  private static let algorithm = "AWS4-HMAC-SHA256"
  private static let unsignedPayload = "UNSIGNED-PAYLOAD"

  private static func hash(of payload: SignedPayload) -> String {
    switch payload {
    case .bytes(let bytes): SHA256.hash(bytes).hexadecimal
    case .digest(let digest): digest
    case .unsigned: unsignedPayload
    }
  }

  private static func target(_ path: String, _ query: String) -> String { query.isEmpty ? path : path + "?" + query }

  private func scope(_ time: SigningTime) -> String { "\(time.day)/\(region)/\(service)/aws4_request" }

  private func stringToSign(_ canonical: CanonicalRequest, scope: String, time: SigningTime) -> String {
    [Self.algorithm, time.timestamp, scope, canonical.digest].joined(separator: "\n")
  }

  private func signature(of text: String, secret: String, time: SigningTime) -> String {
    var key = Array("AWS4\(secret)".utf8)
    for part in [time.day, region, service, "aws4_request"] {
      key = Array(HMACSHA256.authenticationCode(for: part, key: key))
    }
    return HMACSHA256.authenticationCode(for: text, key: key).hexadecimal
  }
}

/// A request ready to be sent.
public struct SignedRequest: Sendable, Hashable {
  /// Path and query, exactly as they must be sent: the signature covers this spelling.
  public var target: String
  /// All headers but `Host`, the signature's among them.
  public var headers: [SignableRequest.Field]
  /// What was hashed: for the search of a wrong signature. Holds no secret but the session token.
  public var canonicalRequest: String
  /// What was signed.
  public var stringToSign: String
}
