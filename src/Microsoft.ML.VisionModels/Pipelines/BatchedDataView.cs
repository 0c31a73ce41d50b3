using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;

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

/// <summary>
/// Walks the input with two cursors: one stands on the present row and serves the input's own columns; the other runs ahead,
/// reads the model's input columns of the next rows, and has them scored together.
/// </summary>
internal sealed class BatchedCursor<TItem, TResult> : DataViewRowCursor
{
    private readonly BatchScorer<TItem, TResult> _scorer;
    private readonly DataViewRowCursor _current;
    private readonly DataViewRowCursor? _ahead;
    private readonly Func<TItem>? _readAhead;
    private readonly bool[] _wanted;

    private IReadOnlyList<TResult> _batch = [];
    private long _batchStart;           // the position of the batch's first row
    private long _aheadPosition = -1;

    public BatchedCursor(BatchScorer<TItem, TResult> scorer, IDataView input, IEnumerable<DataViewSchema.Column> columnsNeeded)
    {
        _scorer = scorer;
        (var fromInput, _wanted) = scorer.Split(columnsNeeded);
        _current = input.GetRowCursor(fromInput);
        if (_wanted.Contains(true))
        {
            _ahead = input.GetRowCursor(scorer.Inputs);
            _readAhead = scorer.MakeReader(_ahead);
        }
    }

    public override DataViewSchema Schema => _scorer.OutputSchema;

    public override long Position => _current.Position;

    public override long Batch => _current.Batch;

    public override bool MoveNext() => _current.MoveNext();

    public override ValueGetter<DataViewRowId> GetIdGetter() => _current.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < _scorer.InputSchema.Count
        ? _current.IsColumnActive(_scorer.InputSchema[column.Index])
        : _wanted[column.Index - _scorer.InputSchema.Count];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new InvalidOperationException($"The column '{column.Name}' was not asked for when the cursor was opened.");
        return column.Index < _scorer.InputSchema.Count
            ? _current.GetGetter<TValue>(_scorer.InputSchema[column.Index])
            : Columns.Typed<TValue>(_scorer.Outputs[column.Index - _scorer.InputSchema.Count].MakeGetter(CurrentResult), column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ahead?.Dispose();
            _current.Dispose();
        }
        base.Dispose(disposing);
    }

    private TResult CurrentResult()
    {
        var position = Position;
        if (position < 0)
            throw new InvalidOperationException("The cursor does not stand on a row; call MoveNext first.");
        if (position >= _batchStart + _batch.Count)
            ScoreFrom(position);
        return _batch[(int)(position - _batchStart)];
    }

    /// <summary>Scores the batch that starts at a row. Rows before it that nobody asked about are passed over.</summary>
    private void ScoreFrom(long position)
    {
        // A batch that failed has gone by; the rows after it can still be scored.
        if (_aheadPosition >= position)
            throw new InvalidOperationException($"Row {position} was to be scored in a batch that failed; the error was thrown when the batch's first row was read.");

        var items = new List<TItem>(_scorer.BatchSize);
        for (var bytes = 0L; items.Count < _scorer.BatchSize && (items.Count == 0 || bytes < ImageMemory.Limit) && _ahead!.MoveNext();)
        {
            if (++_aheadPosition < position)
                continue;
            items.Add(_readAhead!());
            bytes += _scorer.ImageBytes(items[^1]);
        }
        if (items.Count == 0)
            throw new InvalidOperationException("The input gave fewer rows when it was read a second time. Cache it, or make it deterministic.");
        _batch = _scorer.Score(items, _wanted);
        _batchStart = position;
    }
}

/// <summary>Scores one row at a time, as PredictionEngine does.</summary>
internal sealed class ScoringRowMapper<TItem, TResult>(BatchScorer<TItem, TResult> scorer) : IRowToRowMapper
{
    public DataViewSchema InputSchema => scorer.InputSchema;

    public DataViewSchema OutputSchema => scorer.OutputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var (fromInput, wanted) = scorer.Split(dependingColumns);
        return wanted.Contains(true) ? fromInput.Union(scorer.Inputs) : fromInput;
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new Row(scorer, input, activeColumns);

    private sealed class Row : DataViewRow
    {
        private readonly BatchScorer<TItem, TResult> _scorer;
        private readonly DataViewRow _input;
        private readonly bool[] _wanted;
        private readonly bool[] _activeInputs;
        private readonly Func<TItem>? _read;
        private TResult? _result;
        private long _resultPosition = -1;

        public Row(BatchScorer<TItem, TResult> scorer, DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
        {
            (_scorer, _input) = (scorer, input);
            (var fromInput, _wanted) = scorer.Split(activeColumns);
            _activeInputs = new bool[scorer.InputSchema.Count];
            foreach (var column in fromInput)
                _activeInputs[column.Index] = true;
            if (_wanted.Contains(true))
                _read = scorer.MakeReader(input);
        }

        public override DataViewSchema Schema => _scorer.OutputSchema;

        public override long Position => _input.Position;

        public override long Batch => _input.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < _activeInputs.Length
            ? _activeInputs[column.Index]
            : _wanted[column.Index - _activeInputs.Length];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"The column '{column.Name}' was not asked for when the row was made.");
            return column.Index < _activeInputs.Length
                ? _input.GetGetter<TValue>(_input.Schema[column.Index])
                : Columns.Typed<TValue>(_scorer.Outputs[column.Index - _activeInputs.Length].MakeGetter(CurrentResult), column);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _input.Dispose();
            base.Dispose(disposing);
        }

        // All columns of a row come from one pass of the network.
        private TResult CurrentResult()
        {
            if (_resultPosition != _input.Position || _resultPosition < 0)
            {
                _result = _scorer.Score([_read!()], _wanted)[0];
                _resultPosition = _input.Position;
            }
            return _result!;
        }
    }
}
