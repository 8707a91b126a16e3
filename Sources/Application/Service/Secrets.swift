import AWS
import Configuration

extension ValueKind where Value == SecretSetting {
  /// A secret of Quarry's configuration: kept in a variable, in a file, in AWS Secrets Manager, or written out.
  static var anySecret: ValueKind { secret(schemes: ["env", "file", Self.secretsManagerScheme]) }

  fileprivate static var secretsManagerScheme: String { "secretsmanager" }

  /// How the documentation of a key says what may be written.
  static var secretForms: String {
    "`env:NAME`, `file:/path`, `secretsmanager:NAME` (or `NAME#FIELD`, or an ARN), or the text itself"
  }
}

extension SecretSetting {
  /// Whether reading it is a call of AWS.
  var isInSecretsManager: Bool {
    if case .reference(let reference) = self { reference.scheme == ValueKind<Self>.secretsManagerScheme } else { false }
  }
}

extension SecretSetting {
  /// The secret as it is now, wherever it is kept.
  /// - Throws: `configuration.secret`; `aws.secret_unusable` and others of AWS.
  func resolved(remote: RemoteParts, environment: [String: String]) async throws -> Secret {
    try await resolve { reference in
      guard isInSecretsManager else { return try reference.resolveLocally(environment: environment) }
      return Secret(try await SecretsManagerSource(client: remote.aws()).secret(reference.name))
    }
  }
}

extension Library {
  /// A secret as it is now, wherever it is kept.
  /// - Throws: as ``SecretSetting/resolved(remote:environment:)``.
  func secret(_ setting: SecretSetting) async throws -> Secret {
    try await setting.resolved(remote: remote, environment: environment)
  }
}
