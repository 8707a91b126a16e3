import AWSSigning
import Core

/// Who the calls come from.
///
/// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
public struct CallerIdentity: Sendable, Hashable {
  /// The user's or role's ARN.
  public let arn: String
  /// The link of the credential chain that gave the credentials.
  public let link: String

  /// Asks STS, which needs no permission.
  /// - Throws: ``AWSError``: no credentials, expired or unknown ones, no way to STS.
  public static func ask(_ client: AWSClient) async throws -> CallerIdentity {
    let body = Array("Action=GetCallerIdentity&Version=2011-06-15".utf8)
    let answer = try await client.bytes(
      AWSCall(
        .sts, "GetCallerIdentity", on: "these credentials",
        headers: [.init("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], body: body,
        timeout: .seconds(10)))
    guard let arn = XMLElement.parse(answer)?.first("Arn")?.text else {
      throw AWSError(
        "aws.unreadable_answer", .unavailable, "sts:GetCallerIdentity answered what is no identity",
        remedy: "Check AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_STS.")
    }
    return CallerIdentity(arn: arn, link: try await client.credentials.credentials().link)
  }
}
