/// A key that a reader was asked for: what reference documentation says about it.
public struct KnownKey: Sendable, Hashable {
  /// The key path; items of a list or of a map with free names appear as `[]`: `sources[].uri`.
  public let key: String
  /// What the key decides.
  public let documentation: String
  /// What the type is called: `an integer from 1 to 1000`.
  public let type: String
  /// The default as YAML on one line; nil when there is none.
  public let defaultValue: String?
  /// Whether something must be set.
  public let isRequired: Bool
  /// Whether the value is never shown.
  public let isSecret: Bool
  /// The environment variable that sets it; nil within items, which have none.
  public let environmentVariable: String?
}

/// The value that a key has after all layers: a line of `config show`.
public struct EffectiveValue: Sendable, Hashable {
  /// The key path; items of lists are numbered from 0 (`sources[0].uri`), those of maps named (`prices[gpt].input`).
  public let key: String
  /// The value as YAML on one line, secrets as `***` or their reference; `null` when nothing is set.
  public let value: String
  /// Where it was set.
  public let origin: ConfigurationOrigin
}

/// The environment variable of a key: its words in capitals, joined by underscores, after the prefix.
///
/// A word begins at a dot, a hyphen, an underscore, or a capital that follows a small letter or digit or that
/// begins a capitalised word: `store.knnEngine` → `STORE_KNN_ENGINE`, `tls.baseURLPath` → `TLS_BASE_URL_PATH`.
public func environmentName(of key: String, prefix: String) -> String {
  var name = prefix
  let characters = Array(key)
  for (position, character) in characters.enumerated() {
    if character == "." || character == "-" || character == "_" {
      name += "_"
      continue
    }
    if position > 0, character.isUppercase {
      let before = characters[position - 1]
      let nextIsSmall = position + 1 < characters.count && characters[position + 1].isLowercase
      if before.isLowercase || before.isNumber || (before.isUppercase && nextIsSmall) { name += "_" }
    }
    name += character.uppercased()
  }
  return name
}
