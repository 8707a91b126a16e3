import Answering
import Core
import Ingestion

/// What an ingestion would do and take, as JSON.
struct IngestionPlanBody: Encodable {
  var documents: [String: Int]
  var documentsRead: Int
  var isExtrapolated: Bool
  var pages: Int
  var ocrPages: Int
  var chunks: Int
  var embeddingsReused: Int
  var embeddingsToCompute: Int
  var tokens: Int
  var areTokensCounted: Bool
  var seconds: Seconds
  var cost: Cost
  var skipped: [SkippedObject]
  var failed: [IngestionSummaryBody.Failure]

  /// Times; absent where unknown.
  struct Seconds: Encodable {
    var reading: Double
    var embedding: Double?
    var ocr: Double?
    var total: Double?
  }

  /// Money; absent where the price is unknown.
  struct Cost: Encodable {
    var model: String
    var usdPer1000Tokens: Double?
    var usd: Double?

    enum CodingKeys: String, CodingKey {
      case model, usd
      case usdPer1000Tokens = "usd_per_1000_tokens"
    }
  }

  enum CodingKeys: String, CodingKey {
    case documents, pages, chunks, tokens, seconds, cost, skipped, failed
    case documentsRead = "documents_read"
    case isExtrapolated = "extrapolated"
    case ocrPages = "ocr_pages"
    case embeddingsReused = "embeddings_reused"
    case embeddingsToCompute = "embeddings_to_compute"
    case areTokensCounted = "tokens_counted"
  }

  init(_ plan: IngestionPlan, model: String, price: QuestionAnswering.TokenPrice?) {
    documents = [
      "new": plan.new, "changed": plan.changed, "unchanged": plan.unchanged, "renamed": plan.renamed,
      "stale": plan.stale,
    ]
    documentsRead = plan.read
    isExtrapolated = plan.isExtrapolated
    pages = plan.pages
    ocrPages = plan.recognizedPages
    chunks = plan.chunks
    embeddingsReused = plan.reusedEmbeddings
    embeddingsToCompute = plan.embeddings
    tokens = plan.tokens
    areTokensCounted = plan.areTokensCounted
    seconds = Seconds(
      reading: plan.readingSeconds, embedding: plan.embeddings == 0 ? 0 : plan.embeddingSeconds,
      ocr: plan.recognizedPages == 0 ? 0 : plan.recognitionSeconds, total: plan.totalSeconds)
    cost = Cost(
      model: model, usdPer1000Tokens: price?.input, usd: price.map { $0.input * Double(plan.tokens) / 1000 })
    skipped = plan.skipped
    failed = plan.failed.map(IngestionSummaryBody.Failure.init)
  }
}

/// What an ingestion would do and take, for people.
enum IngestionPlanText {
  static func render(_ plan: IngestionPlan, model: String, price: QuestionAnswering.TokenPrice?) -> String {
    let about = plan.isExtrapolated ? "about " : ""
    let counts = [
      (plan.new, "new"), (plan.changed, "changed"), (plan.unchanged, "unchanged"), (plan.renamed, "renamed"),
      (plan.failed.count, "cannot be read"), (plan.skipped.count, "skipped"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    var lines = ["Documents: " + (counts.isEmpty ? "none found" : counts.joined(separator: ", "))]
    if plan.isExtrapolated {
      lines.append(
        "Sample: \(plan.read) of \(plan.candidates) documents were read; the rest is estimated by their bytes and "
          + "stamps")
    }
    if plan.pages > 0 {
      lines.append(
        "Pages: \(about)\(plan.pages)"
          + (plan.recognizedPages > 0
            ? " (of these \(about)\(plan.recognizedPages) to be read from their image; their text is not counted below)"
            : ""))
      lines.append("Chunks: \(about)\(plan.chunks) (\(plan.embeddings) to embed, \(plan.reusedEmbeddings) reused)")
      let isEstimate = plan.isExtrapolated || !plan.areTokensCounted
      lines.append("Tokens to embed: \(isEstimate ? "about " : "")\(plan.tokens)")
    }
    lines.append(time(plan))
    lines.append(cost(plan, model: model, price: price))
    if plan.stale > 0 {
      lines.append("Stale: \(plan.stale) made by another pipeline; renew them with: quarry ingest --rebuild")
    }
    for skipped in plan.skipped { lines.append("skipped \(skipped.name): \(skipped.reason)") }
    for failed in plan.failed {
      lines.append(
        "cannot read \(AnswerText.singleLine(failed.message)) (\(failed.code))"
          + (failed.remedy.map { ". \($0)" } ?? ""))
    }
    lines.append("Nothing was written.")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func time(_ plan: IngestionPlan) -> String {
    var parts = ["reading \(seconds(plan.readingSeconds)), as long as it took now"]
    if plan.embeddings > 0 {
      parts.append(
        plan.embeddingSeconds.map {
          "embedding \(seconds($0)), from \(plan.embeddingSampleTokens) tokens embedded now"
        } ?? "embedding unknown, since trying this model would cost money")
    }
    if plan.recognizedPages > 0 {
      parts.append(
        plan.recognitionSeconds.map {
          "images \(seconds($0)), from \(plan.recognitionSamplePages) page(s) read now"
        } ?? "images unknown")
    }
    return "Time: \(plan.totalSeconds.map { "about \(seconds($0))" } ?? "unknown") (\(parts.joined(separator: "; ")))"
  }

  private static func cost(_ plan: IngestionPlan, model: String, price: QuestionAnswering.TokenPrice?) -> String {
    guard let price else {
      return "Cost: unknown; prices has no '\(model)' (USD for 1,000 tokens, see docs/configuration.md)"
    }
    guard price.input > 0 else { return "Cost: 0 USD (\(model) costs nothing)" }
    let usd = AnswerText.decimal(price.input * Double(plan.tokens) / 1000, 4)
    return "Cost: about \(usd) USD (\(model), \(price.input) USD for 1,000 tokens)"
  }

  private static func seconds(_ value: Double) -> String {
    if value < 60 { return "\(AnswerText.decimal(value, 1)) s" }
    if value < 7200 { return "\(Int((value / 60).rounded(.up))) min" }
    return "\(AnswerText.decimal(value / 3600, 1)) h"
  }
}
