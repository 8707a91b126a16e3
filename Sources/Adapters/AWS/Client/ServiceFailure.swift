import Core
import FoundationEssentials
import HTTPClient

/// What a service said instead of an answer, read from its headers and body in whichever protocol it speaks.
///
/// Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html (operation error serialization),
/// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
struct ServiceFailure: Error, Sendable {
  var status: Int
  /// Such as `ThrottlingException`.
  var code: String
  var message: String
  /// What the container behind an endpoint answered, when the failure is its own.
  var modelStatus: Int?
  var retryAfter: Duration?
  var date: String?
  /// Where a bucket is, when it is elsewhere.
  var bucketRegion: String?
  var requestID: String?

  init(status: Int, headers: (String) -> String?, body: [UInt8]) {
    self.status = status
    retryAfter = RetryAfter.parse(headers("Retry-After"))
    date = headers("Date")
    bucketRegion = headers("x-amz-bucket-region")
    requestID = headers("x-amzn-RequestId") ?? headers("x-amz-request-id")
    var code = headers("x-amzn-ErrorType") ?? headers("x-amzn-query-error") ?? ""
    var message = ""
    if let document = try? JSONDecoder().decode(JSONError.self, from: Data(body)) {
      if code.isEmpty { code = document.type ?? document.code ?? "" }
      message = document.message ?? ""
      modelStatus = document.modelStatus
      // SageMaker's own message says only that the model answered, and where its log is.
      if let said = document.modelMessage, !said.isEmpty { message = said }
    } else if let document = XMLElement.parse(body) {
      if code.isEmpty { code = document.first("Code")?.text ?? "" }
      message = document.first("Message")?.text ?? ""
      bucketRegion = bucketRegion ?? document.first("Region")?.text
    }
    // `aws.protocoltests#FooError:http://…` and `FooError;Sender` name FooError.
    let name = code.split(separator: "#").last ?? Substring(code)
    self.code = String(name.prefix { $0 != ":" && $0 != ";" })
    self.message = String(message.prefix(500))
  }

  private struct JSONError: Decodable {
    var type: String?
    var code: String?
    var message: String?
    var modelStatus: Int?
    var modelMessage: String?

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      for key in values.allKeys {
        let value = try? values.decode(String.self, forKey: key)
        switch key.stringValue.lowercased() {
        case "__type": type = value
        case "code": code = value
        case "message": message = value
        case "originalmessage": modelMessage = value
        case "originalstatuscode": modelStatus = try? values.decode(Int.self, forKey: key)
        default: break
        }
      }
    }

    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }

  // MARK: - Kinds

  /// Too much at once. Source: the AWS SDKs' list, https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
  var isThrottling: Bool {
    status == 429 || modelStatus == 429 || Self.throttlingCodes.contains(code)
  }

  /// A container's refusal of what was sent: the same again would be refused again.
  var isRefusedByModel: Bool { modelStatus.map { (400..<500).contains($0) && $0 != 408 && $0 != 429 } ?? false }

  var isTransient: Bool {
    if isRefusedByModel { return false }
    return isThrottling || [408, 424, 500, 502, 503, 504, 530].contains(status)
      || ["RequestTimeout", "RequestTimeoutException", "InternalError", "PriorRequestNotComplete"].contains(code)
  }

  /// The signature's time may be wrong.
  var mayBeSkew: Bool {
    [
      "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException",
      "SignatureDoesNotMatch", "AuthFailure",
    ].contains(code)
  }

  var isExpiredToken: Bool { ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"].contains(code) }

  private static let throttlingCodes: Set<String> = [
    "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "ModelNotReadyException",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "Throttling", "ThrottledException", "ThrottlingException",
    "TooManyRequestsException", "TransactionInProgressException",
  ]

  // MARK: - As the error of the module

  private static let statusByCode: [String: Int] = [
    "AccessDenied": 403, "AccessDeniedException": 403, "KmsAccessDenied": 403, "NotAuthorized": 403,
    "AWS.SimpleQueueService.NonExistentQueue": 404, "QueueDoesNotExist": 404, "ResourceNotFoundException": 404,
  ]

  func error(of call: AWSCall, region: String, link: String) -> AWSError {
    let action = "\(call.service.actionPrefix):\(call.action)"
    let said = message.isEmpty ? (code.isEmpty ? "status \(status)" : code) : "\(code): \(message)"
    func error(_ name: String, _ category: ErrorCategory, _ text: String, _ remedy: String) -> AWSError {
      AWSError(name, category, text, remedy: remedy, serviceCode: code.isEmpty ? nil : code)
    }
    let place = "\(call.resource) in \(region)"
    if isExpiredToken {
      return error(
        "aws.credentials_expired", .unauthenticated, "the credentials from \(link) have expired",
        "Renew them; roles of a machine renew themselves.")
    }
    if mayBeSkew {
      return error(
        "aws.signature_refused", .unauthenticated, "\(action) refuses the signature: \(said)",
        "Check the secret key and this machine's clock.")
    }
    if ["InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"].contains(code) {
      return error(
        "aws.credentials_unknown", .unauthenticated, "AWS does not know the credentials from \(link)",
        "Check the access key, and whether it was deactivated.")
    }
    if isThrottling {
      return error(
        "aws.throttled", .rateLimited, "\(action) on \(place) is throttled: \(said)",
        "Try again later, or ask for a higher quota.")
    }
    if isRefusedByModel, let modelStatus {
      return error(
        "aws.model_refused", modelStatus == 413 ? .tooLarge : .invalidInput,
        "the model behind \(place) refuses the request with status \(modelStatus): \(message)",
        "Check that the dialect is the container's, and the limits on the length of texts.")
    }
    // The services that speak JSON give every refusal of theirs the status 400.
    switch Self.statusByCode[code] ?? status {
    case 401, 403:
      // S3 and SQS say so of objects and messages whose key the caller may not use.
      if said.contains("kms:") || code.lowercased().hasPrefix("kms") {
        return error(
          "aws.access_denied", .forbidden,
          "\(action) on \(place) needs its KMS key, which the credentials from \(link) may not use: \(said)",
          "Allow kms:Decrypt on that key, in its key policy and in IAM.")
      }
      return error(
        "aws.access_denied", .forbidden,
        "\(action) on \(place) is not allowed to the credentials from \(link): \(said)",
        "Allow \(action) on it in IAM; for a model, ask for access to it in the Bedrock console.")
    case 404:
      return error("aws.not_found", .notFound, "\(place) does not exist: \(said)", "Check its name and the region.")
    case 413:
      return error("aws.too_large", .tooLarge, "\(action) on \(place): \(said)", "Send less at once.")
    case 301, 307, 308:
      return error(
        "aws.wrong_region", .invalidConfiguration,
        "\(call.resource) is not in \(region)\(bucketRegion.map { " but in \($0)" } ?? "")",
        "Set the region to where it is.")
    case 400..<500 where !isTransient:
      return error("aws.refused", .invalidInput, "\(action) on \(place): \(said)", "Check the request's settings.")
    case 408, 504: return error("aws.timed_out", .timedOut, "\(action) on \(place): \(said)", "Try again later.")
    default: return error("aws.unavailable", .unavailable, "\(action) on \(place): \(said)", "Try again later.")
    }
  }
}
