import Core
import Foundation
import QuarryTesting
import Testing

@testable import AWS

@Suite(.enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"))
struct SecretsManagerTests {
  private func filled() async throws -> (MotoServer, arn: String) {
    let server = try await MotoServer()
    let arn = try await server.boto(
      """
      secrets = client("secretsmanager")
      secrets.create_secret(Name="quarry/plain", SecretString="s3cret: ü")
      secrets.create_secret(Name="quarry/binary", SecretBinary=b"\\x00\\x01")
      made = secrets.create_secret(Name="quarry/fields", SecretString=json.dumps({"key": "sk-1", "n": 7, "empty": ""}))
      print(made["ARN"], end="")
      """)
    return (server, arn)
  }

  @Test func readsTextsAndFields_byNameAndARN() async throws {
    let (server, arn) = try await filled()
    let source = SecretsManagerSource(client: try server.client())
    #expect(try await source.secret("quarry/plain") == "s3cret: ü")
    #expect(try await source.secret("quarry/fields#key") == "sk-1")
    #expect(try await source.secret("\(arn)#key") == "sk-1")
    // The ARN says where to ask, whatever the client's own region is.
    let elsewhere = SecretsManagerSource(client: try server.client(region: "us-west-2"))
    #expect(try await elsewhere.secret("\(arn)#key") == "sk-1")
    #expect(await code { _ = try await elsewhere.secret("quarry/plain") } == "aws.not_found")
  }

  @Test func namesTheSecretAndNeverItsText_whenItCannotBeUsed() async throws {
    let (server, _) = try await filled()
    let source = SecretsManagerSource(client: try server.client())
    for reference in [
      "quarry/binary", "quarry/fields#n", "quarry/fields#empty", "quarry/fields#Key", "quarry/plain#key",
    ] {
      let error = await #expect(throws: AWSError.self) { _ = try await source.secret(reference) }
      #expect(error?.code == "aws.secret_unusable" && error?.category == .invalidConfiguration)
      #expect(error?.message.contains(reference.prefix { $0 != "#" }) == true && error?.remedy?.isEmpty == false)
      #expect(error.map { "\($0)".contains("s3cret") || "\($0)".contains("sk-1") } == false)
    }
    let missing = await #expect(throws: AWSError.self) { _ = try await source.secret("quarry/none") }
    #expect(missing?.code == "aws.not_found" && missing?.message.contains("secret quarry/none") == true)
    #expect(await code { _ = try await source.secret("#key") } == "aws.secret_unusable")
  }

  @Test func refusalsOfJSONServicesAreDenials_thoughTheirStatusIs400() {
    let body = Array(#"{"__type":"AccessDeniedException","Message":"User: x is not authorized"}"#.utf8)
    let failure = ServiceFailure(status: 400, headers: { _ in nil }, body: body)
    let call = AWSCall.json(.secretsManager, "GetSecretValue", on: "secret a", target: "secretsmanager", body: [])
    let error = failure.error(of: call, region: "eu-central-1", link: "environment")
    #expect(error.code == "aws.access_denied" && error.category == .forbidden)
    #expect(error.message.contains("secretsmanager:GetSecretValue on secret a in eu-central-1"))
  }

  @Test func theCallerIsNamed_withTheLinkThatGaveTheCredentials() async throws {
    let server = try await MotoServer()
    let caller = try await CallerIdentity.ask(server.client())
    #expect(caller.arn.hasPrefix("arn:aws:sts::") || caller.arn.hasPrefix("arn:aws:iam::"))
    #expect(caller.link.contains("environment"))
  }

  private func code(_ body: () async throws -> Void) async -> String? {
    do { try await body() } catch { return (error as? AWSError)?.code }
    return nil
  }
}
