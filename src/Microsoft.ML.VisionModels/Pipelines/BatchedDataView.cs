using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>
/// The input's columns and the model's. A cursor scores many rows at once, and only if one of the model's columns is asked for.
/// See docs/decisions/0002-batched-data-views.md.
/// </summary>
internal sealed class BatchedDataView<TItem, TResult>(BatchScorer<TItem, TResult> scorer, IDataView input) : IDataView
{
    // Two cursors walk the input side by side, so that both must meet the rows in one order.
    public bool CanShuffle => false;

    public DataViewSchema Schema => scorer.OutputSchema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new BatchedCursor<TItem, TResult>(scorer, input, columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
