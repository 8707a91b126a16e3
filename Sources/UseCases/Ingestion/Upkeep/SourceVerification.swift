public import Core

/// Compares documents with the objects they came from. A source may change at any time, so most of what this finds is
/// no damage but work for the next `ingest`.
public struct SourceVerification: Sendable {
  private let index: any DocumentIndex
  private let probe: any SourceProbe
  private let bytes: any DocumentBytes

  /// Creates the check.
  /// - Parameters:
  ///   - index: The documents.
  ///   - probe: Looks at sources without reading them.
  ///   - bytes: Reads original bytes with a hash check.
  public init(index: any DocumentIndex, probe: any SourceProbe, bytes: any DocumentBytes) {
    self.index = index
    self.probe = probe
    self.bytes = bytes
  }

  /// Looks at the source of every document.
  /// - Parameter isDeep: Whether bytes are read and compared with the version's hash too.
  public func run(
    isDeep: Bool, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
    var report = IntegrityReport()
    var cursor: String?
    repeat {
      let page = try await index.catalogue(collections: nil, state: nil, limit: 200, after: cursor)
      for entry in page.entries {
        try Task.checkCancellation()
        await progress(InspectionProgress(stage: "sources", done: report.examined["sources"] ?? 0))
        report.examine("sources")
        if let finding = try await finding(of: entry.document, isDeep: isDeep) { report.add(finding) }
      }
      cursor = page.next
    } while cursor != nil
    return report
  }

  private func finding(of document: Document, isDeep: Bool) async throws -> IntegrityFinding? {
    let uri = document.uri
    func found(
      _ code: String, _ severity: IntegrityFinding.Severity, _ message: String
    ) -> IntegrityFinding {
      IntegrityFinding(code, severity, message, document: document.id)
    }
    switch await probe.state(of: uri, version: document.version) {
    case .unknown: return nil
    case .missing where uri.isUpload:
      return found(
        "original.missing", .error, "the uploaded bytes of \(uri) are gone: its pages cannot be shown or read again")
    case .missing:
      return found("source.missing", .notice, "\(uri) is gone; its text is still answered from")
    case .unreadable(let reason):
      return found("source.unreadable", .notice, "\(uri) cannot be read: \(reason)")
    case .present(let stamp):
      guard let known = try await index.source(at: uri, collection: document.collection), !known.isTombstone,
        known.document.version == document.version
      else { return nil }  // Moved or replaced meanwhile.
      if stamp != known.stamp {
        return found(
          "source.changed", .notice, "\(uri) has changed since it was indexed; `quarry ingest` reads it again")
      }
    case .kept: break
    }
    guard isDeep else { return nil }
    do {
      _ = try await bytes.file(for: document.version, uri: uri)
      return nil
    } catch let error as any CategorizedError where error.category == .gone || error.category == .corrupt {
      return uri.isUpload
        ? found("original.damaged", .error, error.message)
        : found(
          "source.other_bytes", .error,
          "\(uri) has other bytes than those indexed, but size and time as before: the disk, or a tool that sets times")
    }
  }
}
