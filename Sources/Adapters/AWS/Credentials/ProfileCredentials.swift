import AWSSigning
import ChildProcess
import FoundationEssentials
import HTTPClient

/// What a profile of the shared files says: keys, a process, a role of another profile, a web identity, or a login by
/// the AWS access portal.
///
/// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html,
/// feature-process-credentials.html, feature-sso-credentials.html
struct ProfileCredentials: CredentialProvider {
  let environment: AWSEnvironment
  let sts: SecurityTokens
  let http: HTTPClient
  /// What `credential_source` may name.
  let sources: [String: any CredentialProvider]
  let now: @Sendable () -> Date

  var link: String { "profile '\(environment.profileName)'" }

  func credentials() async throws -> AWSCredentials? {
    guard let profile = environment.profile(environment.profileName) else {
      guard environment.namesProfile else { return nil }
      throw AWSError.credentials(
        link, "there is no such profile in the shared files",
        remedy: "Check AWS_PROFILE, or `aws configure list-profiles`.")
    }
    guard let found = try await credentials(profile, name: environment.profileName, seen: []) else {
      guard environment.namesProfile else { return nil }
      throw AWSError.credentials(link, "it names no credentials", remedy: "Add keys, a role or a process to it.")
    }
    return found
  }

  private func credentials(_ profile: [String: String], name: String, seen: Set<String>) async throws -> AWSCredentials?
  {
    let link = "profile '\(name)'"
    guard !seen.contains(name) else {
      throw AWSError.credentials(link, "its source profiles lead back to itself", remedy: "Break the circle.")
    }
    if let role = profile["role_arn"], !(seen.isEmpty == false && profile["source_profile"] == name) {
      return try await assume(role, profile, name: name, seen: seen)
    }
    if let id = profile["aws_access_key_id"] {
      guard let secret = profile["aws_secret_access_key"] else {
        throw AWSError.credentials(link, "it has a key's id and no secret", remedy: "Add aws_secret_access_key.")
      }
      return AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: profile["aws_session_token"])
    }
    if profile["sso_session"] != nil || profile["sso_start_url"] != nil {
      return try await PortalLogin(environment: environment, http: http, now: now).credentials(profile, link: link)
    }
    if let command = profile["credential_process"] { return try await run(command, link: link) }
    return nil
  }

  private func assume(
    _ role: String, _ profile: [String: String], name: String, seen: Set<String>
  ) async throws -> AWSCredentials {
    let link = "profile '\(name)' (role)"
    guard profile["mfa_serial"] == nil else {
      throw AWSError.credentials(
        link, "the role asks for a code of an MFA device, and a service has nobody to ask",
        remedy: "Use a role without mfa_serial, or a login of the AWS access portal.")
    }
    let session = profile["role_session_name"] ?? "quarry"
    if let file = profile["web_identity_token_file"] {
      return try await WebIdentityCredentials.assume(role, session: session, tokenFile: file, sts: sts, link: link)
    }
    let source: AWSCredentials?
    if let parent = profile["source_profile"] {
      if parent == name {
        // The profile's own keys are the source.
        source = try await credentials(profile.filter { $0.key != "role_arn" }, name: name, seen: seen)
      } else {
        guard let settings = environment.profile(parent) else {
          throw AWSError.credentials(
            link, "its source profile '\(parent)' does not exist", remedy: "Check source_profile.")
        }
        source = try await credentials(settings, name: parent, seen: seen.union([name]))
      }
    } else if let kind = profile["credential_source"] {
      let provider =
        kind == "Environment"
        ? EnvironmentCredentials(variables: environment.variables, skipped: false) : sources[kind]
      guard let provider else {
        throw AWSError.credentials(
          link, "credential_source '\(kind)' is unknown",
          remedy: "Use Environment, EcsContainer or Ec2InstanceMetadata.")
      }
      source = try await provider.credentials()
    } else {
      throw AWSError.credentials(link, "nobody takes the role", remedy: "Add source_profile or credential_source.")
    }
    guard let source else {
      throw AWSError.credentials(
        link, "the identity that takes the role has no credentials", remedy: "Check its source.")
    }
    return try await sts.assumeRole(
      role, session: session, externalID: profile["external_id"],
      seconds: profile["duration_seconds"].flatMap { Int($0) },
      with: source, link: link)
  }

  /// Runs the command as the AWS CLI does, split like a shell's words but without a shell.
  private func run(_ command: String, link: String) async throws -> AWSCredentials {
    let words = CommandWords.split(command)
    guard let name = words.first, let program = ChildProcess.locate(name) else {
      throw AWSError.credentials(link, "the program of credential_process is not there", remedy: "Check its path.")
    }
    let result: ChildProcess.Completed
    do {
      result = try await ChildProcess.run(
        executable: program, arguments: Array(words.dropFirst()), environment: environment.variables,
        deadline: .now + .seconds(60), outputLimit: 64 << 10)
    } catch let error as ChildProcessError {
      throw AWSError.credentials(link, "credential_process: \(error.message)", remedy: error.remedy, underlying: error)
    }
    guard result.end.isSuccess else {
      // Its words may hold secrets, so only its end is told.
      throw AWSError.credentials(
        link, "credential_process ended with \(result.end.status)", remedy: "Run it by hand to see what is wrong.")
    }
    return try CredentialDocument.credentials(in: result.output, link: link + " (process)")
  }
}

/// A command line cut into words, with quotes and backslashes as in a POSIX shell.
enum CommandWords {
  static func split(_ text: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words
  }
}
