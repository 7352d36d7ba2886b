"""``/limits`` and ``/limits/recordCount``: what an org may use, what is left, and how much it holds.

Numbers only; who is over a limit is refused elsewhere. Its invariant: what is counted in the sandbox goes down; limits of what
it does not do stand at what an Enterprise org is roughly allotted, unused.

Source: C.8 of the platform notes; the REST API guide, Limits (keys) and Record Count (objects not found are left out); recorded
replies of recordCount (CumulusCI). The real counts are of earlier, ours of now.
"""

from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, only

_UNUSED = {
    "AnalyticsExternalDataSizeMB": 40_960,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyAsyncApexTests": 500,
    "DailyDurableGenericStreamingApiEvents": 10_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStandardVolumePlatformEvents": 25_000,
    "DailyWorkflowEmails": 100_000,
    "DataStorageMB": 10_240,
    "FileStorageMB": 10_240,
    "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5000,
    "HourlyDashboardStatuses": 999_999_999,
    "HourlyLongTermIdMapping": 100_000,
    "HourlyODataCallout": 20_000,
    "HourlyPublishedStandardVolumePlatformEvents": 1000,
    "HourlyShortTermIdMapping": 100_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1000,
    "MassEmail": 5000,
    "PermissionSets": 1500,
    "SingleEmail": 5000,
}


def limits(platform: Platform, call: Call) -> Reply:
    """Answer ``/limits``."""
    if refusal := only(call, "GET"):
        return refusal
    options = platform.options
    bulk, now = platform.usage, platform.org.clock.now()

    def entry(most: int, used: int) -> JsonObject:
        return {"Max": most, "Remaining": max(most - used, 0)}

    delivered = entry(options.event_limit, platform.used_deliveries())
    told = {name: entry(most, 0) for name, most in _UNUSED.items()} | {
        "DailyApiRequests": entry(options.api_limit, platform.used_calls()),
        "DailyBulkApiBatches": entry(options.bulk_batch_limit, bulk.bulk_batches.recent(now)),
        "DailyBulkV2QueryFileStorageMB": entry(976_562, bulk.bulk_result_bytes.recent(now) // 1_048_576),
        "DailyBulkV2QueryJobs": entry(options.bulk_query_limit, bulk.bulk_queries.recent(now)),
        "DailyDeliveredPlatformEvents": delivered,
        "DailyDurableStreamingApiEvents": delivered,
        "DailyStreamingApiEvents": delivered,
        "DurableStreamingApiConcurrentClients": entry(options.client_limit, 0),
        "HourlyPublishedPlatformEvents": entry(options.publish_limit, platform.used_publications()),
        "StreamingApiConcurrentClients": entry(options.client_limit, 0),
    }
    return Reply(200, dict(sorted(told.items())))


def record_count(platform: Platform, call: Call) -> Reply:
    """Answer ``/limits/recordCount?sObjects=A,B``: rows outside the recycle bin, whoever may see them."""
    if refusal := only(call, "GET"):
        return refusal
    schema = platform.org.schema
    named = [schema.get(name.strip()) for name in call.query.get("sObjects", "").split(",") if name.strip()]
    wanted = [kind for kind in named if kind is not None and kind.kind == "record"] if named else list(schema.records())
    user_id = platform.org.system.user_id
    counted = [
        {"count": platform.org.query(f"SELECT COUNT() FROM {kind.name}", user_id=user_id).total_size, "name": kind.name} for kind in wanted
    ]
    return Reply(200, {"sObjects": counted})
