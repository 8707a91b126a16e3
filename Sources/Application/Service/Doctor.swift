import Core
import FoundationEssentials
import Glibc
import Ingestion
import LocalModels
import PDFReading
import SQLiteStore

/// One thing that `quarry doctor` looked at.
public struct DoctorFinding: Sendable, Hashable, Codable {
  /// How it is.
  public enum Verdict: String, Sendable, Codable {
    /// As it should be.
    case ok
    /// Works, but somebody should look.
    case warning
    /// Does not work.
    case failed
  }

  /// What was looked at.
  public var check: String
  /// How it is.
  public var verdict: Verdict
  /// What was found.
  public var message: String
  /// What to do about it; absent when nothing.
  public var remedy: String?
}

extension Library {
  /// Looks at everything that Quarry needs: disk, store, index, model, PDF reader.
  public func doctor() async -> [DoctorFinding] {
    var findings = [diskSpace()]
    findings.append(
      await check("store") {
        let report = try await SQLiteStoreInspection(path: settings.store.path).inspect(rules: .standard) { _ in }
        guard report.needsRepair else { return (.ok, "\(settings.store.path) is sound", nil) }
        let first = report.findings.first { $0.severity == (report.isSound ? .warning : .error) }
        return (
          report.isSound ? .warning : .failed,
          "\(report.errors) errors and \(report.warnings) leftovers, the first: \(first?.message ?? "")",
          "Run: quarry verify"
        )
      })
    findings.append(
      await check("model") {
        let embedder = try embedder()
        _ = try await embedder.embed(["a test"], as: .query)
        return (.ok, "\(embedder.identity.summary), kernels \(KernelPath.chosen.rawValue)", nil)
      })
    findings.append(await check("index") { try await indexFinding() })
    findings.append(
      await check("pdf reader") {
        let version = try await PDFPageReader.popplerVersion(configuration: readerConfiguration)
        return (.ok, "\(try readerConfiguration.locateReader()) with Poppler \(version)", nil)
      })
    return findings
  }

  private func indexFinding() async throws -> (DoctorFinding.Verdict, String, String?) {
    let embedder = try embedder()
    let pipeline = try await ingester().pipeline
    let totals = try await index.totals(pipeline: pipeline, identity: embedder.identity)
    let size = "\(totals.documents) documents, \(totals.pages) pages, \(totals.chunks) chunks"
    if let active = try await index.activeIdentity(), active != embedder.identity {
      return (
        .failed, "the index has vectors of \(active.summary), the configured model is \(embedder.identity.summary)",
        "Run: quarry ingest --rebuild"
      )
    }
    if totals.documents == 0 { return (.warning, "the index is empty", "Run: quarry ingest PATH") }
    if totals.stale > 0 {
      return (.warning, "\(size); \(totals.stale) made by another pipeline", "Run: quarry ingest --rebuild")
    }
    return (.ok, size, nil)
  }

  private func diskSpace() -> DoctorFinding {
    let path = FileManager.default.fileExists(atPath: settings.dataDirectory) ? settings.dataDirectory : "/"
    var status = statvfs()
    guard statvfs(path, &status) == 0 else {
      return DoctorFinding(
        check: "disk", verdict: .failed, message: "cannot look at \(path): \(String(cString: strerror(errno)))",
        remedy: "Check dataDirectory.")
    }
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    let message = "\(free >> 20) MiB free for \(settings.dataDirectory)"
    return free < 1 << 30
      ? DoctorFinding(check: "disk", verdict: .warning, message: message, remedy: "Free space on that disk.")
      : DoctorFinding(check: "disk", verdict: .ok, message: message, remedy: nil)
  }

  private func check(
    _ name: String, _ body: () async throws -> (DoctorFinding.Verdict, String, String?)
  ) async -> DoctorFinding {
    do {
      let (verdict, message, remedy) = try await body()
      return DoctorFinding(check: name, verdict: verdict, message: message, remedy: remedy)
    } catch let error as any CategorizedError {
      return DoctorFinding(
        check: name, verdict: .failed, message: "\(error.message) (\(error.code))", remedy: error.remedy)
    } catch {
      return DoctorFinding(check: name, verdict: .failed, message: "\(error)", remedy: nil)
    }
  }
}
