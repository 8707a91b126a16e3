public import Core
import FoundationEssentials

/// Clears away what nobody sees in a cluster's index, and mends what follows from the rest.
public final class OpenSearchStoreUpkeep: StoreUpkeep {
  private let cluster: OpenSearchCluster
  private let cache: OpenSearchEmbeddingCache

  /// Creates the upkeep of an opened index.
  public init(_ cluster: OpenSearchCluster, cache: OpenSearchEmbeddingCache) {
    self.cluster = cluster
    self.cache = cache
  }

  /// Checks, repairs and clears away; see the role.
  public func tidy(
    rules: IdentityRules, isDryRun: Bool, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> UpkeepReport {
    let inspecting = Inspecting(cluster: cluster, rules: rules, progress: progress)
    let found = try await inspecting.run()
    var report = UpkeepReport()
    report.found = found.report
    let due = found.report.counts["version.leftover", default: 0] + found.report.counts["space.leftover", default: 0]
    if due > 0 {
      var cleared = (versions: 0, spaces: 0)
      if !isDryRun { cleared = try await cluster.sweep() }
      if isDryRun || cleared.versions > 0 {
        report.add("version.leftover", cleared.versions, "cleared away replaced and unfinished versions")
      }
      if cleared.spaces > 0 {
        report.add("space.leftover", cleared.spaces, "cleared away former embedding spaces")
      }
    }
    if !found.orphans.isEmpty {
      if !isDryRun { try await cluster.clearOrphans(found.orphans) }
      report.add("chunk.orphan", found.orphans.count, "removed chunks and pages that were no document's")
    }
    if !found.unclaimed.isEmpty {
      if !isDryRun { for id in found.unclaimed { try await cluster.claimPlace(of: id) } }
      report.add("place.missing", found.unclaimed.count, "noted documents at their places again")
    }
    let jobs = OpenSearchJobStore(cluster)
    let (expired, ofNothing) = (found.jobs.filter(\.isExpired), found.jobs.filter { !$0.isExpired })
    if !expired.isEmpty {
      if !isDryRun { for job in expired { try await jobs.free(job.uri, collection: job.collection) } }
      report.add("job.lease_expired", expired.count, "freed jobs of workers that are gone")
    }
    if !ofNothing.isEmpty {
      if !isDryRun { for job in ofNothing { try await jobs.remove(job.uri, collection: job.collection) } }
      report.add("job.orphaned", ofNothing.count, "removed jobs of nothing")
    }
    if found.aliasIsWrong {
      if !isDryRun, let active = try await cluster.client.state()?.state.active {
        try await cluster.pointAlias(at: active)
      }
      report.add("alias.wrong", 1, "pointed the alias at the chunks that are searched")
    }
    if !isDryRun, let dimension = try await cluster.client.state()?.state.activeSpace?.identity.dimension {
      let trimmed = try await cache.trim(dimension: dimension)
      if trimmed > 0 { report.add("cache.trimmed", trimmed, "removed the least recently used cached embeddings") }
    }
    return report
  }
}

extension OpenSearchCluster {
  /// Removes what carries numbers that no document knows; looked at again, for a writer may have begun.
  func clearOrphans(_ numbers: Set<Int>) async throws {
    guard let state = try await client.state()?.state else { return }
    let hidden = Set(state.hidden.map(\.vn))
    let left = numbers.subtracting(hidden).sorted()
    for start in stride(from: 0, to: left.count, by: 500) {
      let part = left[start..<min(start + 500, left.count)]
      let query: JSON = ["query": ["terms": ["vn": .array(part.map { .int($0) })]]]
      for index in state.spaces.map({ names.chunks($0.key) }) + [names.pages] {
        _ = try await client.send(
          "POST", "/\(index)/_delete_by_query", query: [("conflicts", "proceed"), ("refresh", "true")],
          body: query.bytes, accepted: [404], timeout: .seconds(300), doing: "removing orphans from \(index)")
      }
    }
  }

  /// Notes a visible document at its place.
  func claimPlace(of id: DocumentID) async throws {
    let doing = "noting document \(id) at its place"
    guard let state = try await client.state()?.state,
      let record = try await record(DocumentRecord.self, names.documents, id.rawValue, doing: doing).record,
      let newest = record.visible(state).last
    else { return }
    try await changePlace(
      SourceURI(rawValue: newest.uri), CollectionName(rawValue: record.collection), doing: doing
    ) { place in
      if !place.claims.contains(id.rawValue) { place.claims.append(id.rawValue) }
      place.nextGeneration = max(place.nextGeneration, record.generation + 1)
      return true
    }
  }

  /// The indices that the library's alias shows.
  func aliased() async throws -> Set<String> {
    let response = try await client.send(
      "GET", "/_alias/\(names.prefix)", accepted: [404], doing: "looking at the alias \(names.prefix)")
    if response.status == 404 { return [] }
    struct Index: Decodable {}
    return Set((try? JSONText.decode([String: Index].self, response.body))?.keys.map { $0 } ?? [])
  }

  /// What is wrong with the mapping of a space's index; nil when nothing.
  func mappingProblem(of space: StoreState.Space) async throws -> String? {
    struct Mapping: Decodable {
      struct Mappings: Decodable {
        struct Properties: Decodable {
          struct Vector: Decodable {
            struct Method: Decodable {
              var engine: String?
              var spaceType: String?
              enum CodingKeys: String, CodingKey {
                case engine
                case spaceType = "space_type"
              }
            }
            var type: String
            var dimension: Int?
            var method: Method?
          }
          var vector: Vector?
        }
        var properties: Properties?
      }
      var mappings: Mappings
    }
    let index = names.chunks(space.key)
    let response = try await client.send(
      "GET", "/\(index)/_mapping", accepted: [404], doing: "looking at the mapping of \(index)")
    if response.status == 404 { return "the index \(index) is missing" }
    guard let mapping = try? JSONText.decode([String: Mapping].self, response.body).values.first else {
      throw OpenSearchError.badResponse("looking at the mapping of \(index)")
    }
    guard let vector = mapping.mappings.properties?.vector, vector.type == "knn_vector" else {
      return "\(index) has no field of vectors: another program made it"
    }
    if vector.dimension != space.identity.dimension {
      return
        "\(index) is for vectors of \(vector.dimension ?? 0) dimensions, the model's have \(space.identity.dimension)"
    }
    if let measure = vector.method?.spaceType, measure != space.measure {
      return "\(index) measures by \(measure), not by \(space.measure)"
    }
    return nil
  }
}
