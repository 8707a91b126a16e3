import AWSSigning
import Concurrency
import Core
import FoundationEssentials
import HTTPClient

/// Calls on one bucket, wherever it is: a bucket of another region is found by the first answer's redirection.
///
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/
struct S3Bucket: Sendable {
  /// An object of a listing.
  struct Entry: Sendable, Hashable {
    var key: String
    var byteCount: Int
    var modified: Date
    var etag: String
  }

  let client: AWSClient
  let name: String
  /// Whether the requester pays for buckets that ask it.
  let paysRequests: Bool
  private let region = Locked<String?>(nil)

  init(client: AWSClient, name: String, paysRequests: Bool = false) {
    self.client = client
    self.name = name
    self.paysRequests = paysRequests
  }

  /// Sends a call; `key` is not encoded.
  func send(
    _ action: String, method: String, key: String = "", query: [SignableRequest.Field] = [],
    headers: [SignableRequest.Field] = [], body: [UInt8]? = nil, timeout: Duration? = .seconds(60),
    accepted: Set<Int> = []
  ) async throws -> HTTPClientResponse {
    let known = region.withLock { $0 }
    func call(_ region: String?) -> AWSCall {
      // Names with a dot fit no wildcard certificate, and a server elsewhere has no name for each bucket.
      let usesPath = client.endpoints.isCustom(.s3) || name.contains(".")
      let base = client.endpoints.url(of: .s3, region: region ?? client.region)
      let authority = base.split(separator: "/").last.map(String.init) ?? base
      let path = (usesPath ? "/\(name)/" : "/") + URIEncoding.path(key)
      let extra = paysRequests ? [SignableRequest.Field("x-amz-request-payer", "requester")] : []
      return AWSCall(
        .s3, action, on: key.isEmpty ? "bucket \(name)" : "s3://\(name)/\(key)", method: method,
        host: usesPath ? nil : "\(name).\(authority)", path: path, query: query, headers: headers + extra, body: body,
        timeout: timeout, accepted: accepted.union(Self.elsewhere(method)), region: region)
    }
    do {
      let response = try await client.send(call(known))
      guard Self.elsewhere(method).contains(response.status) else { return response }
      let right = response["x-amz-bucket-region"]
      if response.status == 400, right == nil || right == known ?? client.region {
        throw AWSError(
          "aws.refused", .invalidInput,
          "s3:\(action) on s3://\(name)/\(key) is refused, and the answer does not say why",
          remedy: "An object under a key of the customer's own (SSE-C) cannot be read; encrypt it by KMS.")
      }
      return try await redirected(right, from: known, call)
    } catch let error as AWSError
      where error.code == "aws.refused" && error.serviceCode == "AuthorizationHeaderMalformed"
      || error.serviceCode == "IllegalLocationConstraintException"
    {
      // A signature for another region: the answer to HEAD names the right one.
      let head = try? await client.send(
        AWSCall(
          .s3, "HeadBucket", on: "bucket \(name)", method: "HEAD", path: "/\(name)",
          accepted: [301, 307, 308, 400, 403],
          region: known))
      guard let right = head?["x-amz-bucket-region"], right != known ?? client.region else { throw error }
      return try await redirected(right, from: known, call)
    }
  }

  /// The statuses that may mean another region. An answer to HEAD has no body that would tell a bad signature apart.
  private static func elsewhere(_ method: String) -> Set<Int> {
    method == "HEAD" ? [301, 307, 308, 400] : [301, 307, 308]
  }

  /// Describes the current version of an object; nil when there is none.
  func head(_ key: String) async throws -> Entry? {
    // To HEAD it is GetObject that has to be allowed.
    let response = try await send("GetObject", method: "HEAD", key: key, accepted: [404])
    guard response.status != 404 else { return nil }
    guard let size = response["Content-Length"].flatMap({ Int($0) }), let etag = response["ETag"],
      let modified = response["Last-Modified"].flatMap(HTTPDate.parse)
    else {
      throw AWSError("aws.answer_malformed", .unavailable, "the description of s3://\(name)/\(key) lacks fields")
    }
    return Entry(key: key, byteCount: size, modified: modified, etag: etag)
  }

  /// Followed once, and remembered.
  private func redirected(
    _ right: String?, from wrong: String?, _ call: (String?) -> AWSCall
  ) async throws -> HTTPClientResponse {
    guard let right, right != wrong ?? client.region else {
      throw AWSError(
        "aws.wrong_region", .invalidConfiguration,
        "bucket \(name) is not in \(wrong ?? client.region), and does not say where",
        remedy: "Set aws.region to the bucket's region.")
    }
    region.withLock { $0 = right }
    let response = try await client.send(call(right))
    guard [301, 307, 308, 400].contains(response.status) else { return response }
    throw AWSError(
      "aws.wrong_region", .invalidConfiguration, "bucket \(name) is redirected again and again",
      remedy: "Check the bucket's region.")
  }

  /// One page of the current objects below a prefix, in order of their keys.
  /// - Parameters:
  ///   - startAfter: The key behind which the listing begins; nil for all.
  ///   - token: That of the page, from the one before.
  /// - Returns: The objects, and the token of the next page.
  func list(
    prefix: String, startAfter: String? = nil, after token: String?
  ) async throws -> (entries: [Entry], next: String?) {
    var query: [SignableRequest.Field] = [
      .init("encoding-type", "url"), .init("list-type", "2"), .init("max-keys", "1000"), .init("prefix", prefix),
    ]
    if let startAfter { query.append(.init("start-after", startAfter)) }
    if let token { query.append(.init("continuation-token", token)) }
    let response = try await send("ListBucket", method: "GET", query: query)
    let body = try await response.body.collect(upTo: 16 << 20)
    guard let document = XMLElement.parse(body), document.name == "ListBucketResult" else {
      throw AWSError(
        "aws.answer_malformed", .unavailable, "bucket \(name) answers with no listing",
        remedy: "Check that the endpoint is S3's.")
    }
    let isEncoded = document["EncodingType"]?.text == "url"
    let entries = document.all("Contents").compactMap { element -> Entry? in
      guard let raw = element["Key"]?.text, let size = (element["Size"]?.text).flatMap({ Int($0) }),
        let modified = (element["LastModified"]?.text).flatMap(ISO8601.parse), let etag = element["ETag"]?.text
      else { return nil }
      // Form encoding: a plus is a space.
      let key = isEncoded ? Self.decoded(raw) : raw
      return Entry(key: key, byteCount: size, modified: modified, etag: etag)
    }
    guard entries.count == document.all("Contents").count else {
      throw AWSError("aws.answer_malformed", .unavailable, "a listing of bucket \(name) lacks fields")
    }
    let isTruncated = document["IsTruncated"]?.text == "true"
    let next = document["NextContinuationToken"]?.text
    guard !isTruncated || next != nil else {
      throw AWSError("aws.answer_malformed", .unavailable, "a listing of bucket \(name) breaks off")
    }
    return (entries, isTruncated ? next : nil)
  }

  static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
