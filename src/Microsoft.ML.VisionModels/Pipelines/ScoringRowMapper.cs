using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Pipelines;

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
