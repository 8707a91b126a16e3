import Core
public import Testing

/// One sentence of a role's contract, checked on a fresh subject. A backend's test target runs a role's claims as
/// arguments of one parameterised test, so that each is reported by name:
///
/// ```swift
/// @Test(arguments: DocumentIndexContract.claims)
/// func holds(_ claim: ContractClaim<any DocumentIndex>) async throws { try await claim.check(makeIndex()) }
/// ```
public struct ContractClaim<Subject>: Sendable, CustomTestStringConvertible {
  /// What is claimed, in the style of a test's name.
  public let name: String
  /// Records an issue, or throws, when the claim does not hold for a subject that nothing was done with yet.
  public let check: @Sendable (Subject) async throws -> Void

  /// Creates a claim.
  public init(_ name: String, check: @escaping @Sendable (Subject) async throws -> Void) {
    self.name = name
    self.check = check
  }

  /// The name, for test reports.
  public var testDescription: String { name }
}

/// The code of the ``CategorizedError`` that `body` throws; nil, and an issue, when it throws nothing of the kind.
func codeThrown(
  _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> (code: String, category: ErrorCategory, remedy: String?)? {
  do {
    try await body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as any CategorizedError {
    return (error.code, error.category, error.remedy)
  } catch {
    Issue.record("\(error) is not a CategorizedError", sourceLocation: sourceLocation)
  }
  return nil
}
