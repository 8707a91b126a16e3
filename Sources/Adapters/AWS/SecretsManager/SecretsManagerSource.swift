public import Core
import FoundationEssentials

/// Secrets kept in AWS Secrets Manager.
///
/// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
public struct SecretsManagerSource: SecretSource {
  private let client: AWSClient

  /// Creates a source.
  public init(client: AWSClient) { self.client = client }

  /// The current version of a secret.
  /// - Parameter reference: The secret's name or ARN, and after `#` the key of a field when the secret is a JSON
  ///   object, as the console makes them: `quarry/openai#key`. An ARN names the region to ask.
  /// - Throws: `aws.secret_unusable` for a secret that is binary, empty, or lacks the field; ``AWSError`` of the call.
  public func secret(_ reference: String) async throws -> String {
    let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    func unusable(_ problem: String, _ remedy: String) -> AWSError {
      AWSError("aws.secret_unusable", .invalidConfiguration, "the secret \(name) \(problem)", remedy: remedy)
    }
    guard !name.isEmpty, parts.count < 2 || !parts[1].isEmpty else {
      throw unusable("is not named", "Write secretsmanager:NAME, or secretsmanager:NAME#FIELD.")
    }
    var call = AWSCall.json(
      .secretsManager, "GetSecretValue", on: "secret \(name)", target: "secretsmanager",
      body: Array(try JSONEncoder().encode(["SecretId": name])), timeout: .seconds(10))
    let arn = name.split(separator: ":", omittingEmptySubsequences: false)
    if arn.first == "arn", arn.count > 3, !arn[3].isEmpty { call.region = String(arn[3]) }
    let answer = try await client.bytes(call, limit: 256 << 10)
    guard let value = try? JSONDecoder().decode(Answer.self, from: Data(answer)), let text = value.SecretString,
      !text.isEmpty
    else { throw unusable("has no text", "Store it as text; binary secrets are not read.") }
    guard parts.count == 2 else { return text }
    guard let fields = try? JSONDecoder().decode([String: Field].self, from: Data(text.utf8)) else {
      throw unusable("is no JSON object, so it has no field '\(parts[1])'", "Leave out '#\(parts[1])'.")
    }
    guard let field = fields[parts[1]]?.text, !field.isEmpty else {
      throw unusable("has no text in a field '\(parts[1])'", "Check the field's name; names are case-sensitive.")
    }
    return field
  }

  private struct Answer: Decodable {
    var SecretString: String?
  }

  /// A field of any type; only texts are secrets.
  private struct Field: Decodable {
    var text: String?

    init(from decoder: any Decoder) throws {
      text = try? decoder.singleValueContainer().decode(String.self)
    }
  }
}
