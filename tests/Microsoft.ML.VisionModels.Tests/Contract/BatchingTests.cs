using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>How a view is read does not change what is read.</summary>
public class BatchingTests(FittedModels models)
{
    private readonly MLContext _context = new(seed: 1);

    [Theory, EveryEstimator(1, 3, 32)]
    public void TheBatchSizeDoesNotChangeScores(string estimator, object batchSize)
    {
        var model = EstimatorCase.Of(estimator).Fit(options => options.For<ScoringOptions>(scoring => scoring.ScoringBatchSize = (int)batchSize));
        using var owned = model as IDisposable;
        var data = ContractData.Images(_context, seed: 5);
        ContractData.AssertClose(ContractData.Scores(models[estimator], data), ContractData.Scores(model, data));
    }

    [Theory, EveryEstimator]
    public void OneColumnAloneIsTheSame(string estimator)
    {
        var (scored, columns, expected) = Score(estimator);
        for (var c = 0; c < columns.Length; c++)
            ContractData.AssertClose([.. expected.Select(row => new[] { row[c] })], ViewValues.Read(scored, columns[c]));
    }

    [Theory, EveryEstimator]
    public void GettersMayBeCalledInAnyOrderAgainAndRowsLeftOut(string estimator)
    {
        var (scored, columns, expected) = Score(estimator);
        using var cursor = scored.GetRowCursor(scored.Schema);
        var readers = Array.ConvertAll(columns, name => ViewValues.Reader(cursor, scored.Schema[name]));
        foreach (var row in (int[])[0, 2, 3, 4, 13, 24, 25])
        {
            while (cursor.Position < row)
                Assert.True(cursor.MoveNext());
            foreach (var c in Enumerable.Range(0, columns.Length).Reverse().Concat(Enumerable.Range(0, columns.Length)))
                ContractData.AssertClose(expected[row][c], readers[c]());
        }
        Assert.False(cursor.MoveNext());
    }

    [Theory, EveryEstimator]
    public void TwoCursorsWalkOneView(string estimator)
    {
        var (scored, columns, expected) = Score(estimator);
        using var first = scored.GetRowCursor(scored.Schema);
        using var second = scored.GetRowCursor(scored.Schema);
        var (readFirst, readSecond) = (ViewValues.Reader(first, scored.Schema[columns[0]]), ViewValues.Reader(second, scored.Schema[columns[0]]));
        for (var row = 0; row < expected.Count; row++)
        {
            Assert.True(first.MoveNext());
            ContractData.AssertClose(expected[row][0], readFirst(), tolerance: 0);
            if (row % 2 == 1) // half as fast
            {
                Assert.True(second.MoveNext());
                ContractData.AssertClose(expected[row / 2][0], readSecond(), tolerance: 0);
            }
        }
    }

    [Theory, EveryEstimator]
    public void OtherColumnsPassThrough(string estimator)
    {
        var data = ContractData.Images(_context);
        var scored = models[estimator].Transform(data);
        Assert.Equal(data.Schema.Select(column => column.Name), scored.Schema.Take(data.Schema.Count).Select(column => column.Name));
        Assert.Equal(data.GetRowCount(), scored.GetRowCount());
        string[] columns = ["Id", "Label", "Number"];
        var both = ViewValues.Read(scored, [.. columns, .. ContractData.Added(models[estimator], data)]);
        ContractData.AssertSame(ViewValues.Read(data, columns), both.Select(row => row[..3]));
        Assert.Equal(data.GetColumn<MLImage>("Image"), scored.GetColumn<MLImage>("Image"));
    }

    [Theory, EveryEstimator]
    public void NothingIsReadThatNobodyAskedFor(string estimator)
    {
        var reads = 0;
        var watched = new WatchedView(ContractData.Images(_context), EstimatorCase.Of(estimator).Input, () => reads++);
        var scored = models[estimator].Transform(watched);
        ViewValues.Read(scored, "Id", "Number");
        Assert.Equal(0, reads);

        // Asked for, but not read.
        using (var cursor = scored.GetRowCursor(scored.Schema))
        {
            while (cursor.MoveNext())
                ;
        }
        Assert.Equal(0, reads);

        ViewValues.Read(scored, ContractData.Added(models[estimator], watched));
        Assert.Equal(ContractData.Count, reads);
    }

    [Theory, EveryEstimator]
    public void RowsThatAreLeftOutOrShuffledDownstreamKeepTheirScores(string estimator)
    {
        var (scored, columns, expected) = Score(estimator);
        Check(_context.Data.TakeRows(scored, 5), [.. Enumerable.Range(0, 5)]);
        Check(_context.Data.SkipRows(scored, 7), [.. Enumerable.Range(7, ContractData.Count - 7)]);
        Check(_context.Data.FilterRowsByColumn(scored, "Number", 10, 20), [.. Enumerable.Range(10, 10)]);
        Check(_context.Data.Cache(scored), [.. Enumerable.Range(0, ContractData.Count)]);
        Check(_context.Data.ShuffleRows(scored, seed: 3), null);
        Check(models[estimator].Transform(_context.Data.SkipRows(ContractData.Images(_context), 6)), [.. Enumerable.Range(6, ContractData.Count - 6)]);

        // The rows come with their own scores; in this order, or where there is none, in another than the input's.
        void Check(IDataView view, int[]? order)
        {
            // ML.NET's Cache and ShuffleRows drop columns of images.
            int[] present = [.. Enumerable.Range(0, columns.Length).Where(c => view.Schema.GetColumnOrNull(columns[c]) is not null || expected[0][c] is not MLImage)];
            var rows = ViewValues.Read(view, ["Number", .. present.Select(c => columns[c])]);
            int[] numbers = [.. rows.Select(row => (int)(float)row[0])];
            if (order is not null)
                Assert.Equal(order, numbers);
            else
                Assert.True(numbers.Length == expected.Count && !numbers.SequenceEqual(numbers.Order()));
            ContractData.AssertClose([.. numbers.Select(number => Array.ConvertAll(present, c => expected[number][c]))], [.. rows.Select(row => row[1..])]);
        }
    }

    [Theory, EveryEstimator]
    public void RowsThatAreShuffledUpstreamKeepTheirScores(string estimator)
    {
        // By their paths: ML.NET's ShuffleRows drops columns of images.
        using var folder = TestFolders.Temporary();
        var paths = ContractData.Paths(_context, ContractData.Save(folder));
        var columns = ContractData.Added(models[estimator], paths);
        var inOrder = ViewValues.Read(models[estimator].Transform(paths), ["Image", .. columns]);
        var shuffled = ViewValues.Read(models[estimator].Transform(_context.Data.ShuffleRows(paths, seed: 3)), ["Image", .. columns]);

        Assert.NotEqual(inOrder.Select(row => row[0]), shuffled.Select(row => row[0]));
        ContractData.AssertClose(inOrder, [.. shuffled.OrderBy(row => inOrder.FindIndex(other => other[0].Equals(row[0])))]);
    }

    [Theory, EveryEstimator]
    public void ModelsFollowOneAnother(string estimator)
    {
        var data = ContractData.Images(_context);
        var once = models[estimator].Transform(data);
        var twice = models[estimator].Transform(once);
        var columns = ContractData.Added(models[estimator], data);
        Assert.Equal(once.Schema.Select(column => column.Name).Concat(columns), twice.Schema.Select(column => column.Name));
        ContractData.AssertSame(ViewValues.Read(once, columns), ViewValues.Read(twice, columns));
    }

    [Theory, EveryEstimator]
    public void RowsBecomeObjects(string estimator)
    {
        var (scored, columns, expected) = Score(estimator);
        for (var c = 0; c < columns.Length; c++)
        {
            var type = expected[0][c] is Array items ? items.GetValue(0)!.GetType().MakeArrayType() : expected[0][c].GetType();
            var read = (IEnumerable<object>)GetType().GetMethod(nameof(Objects))!.MakeGenericMethod(type).Invoke(this, [scored, columns[c]])!;
            ContractData.AssertClose(expected.Select(row => row[c]).ToArray(), read.ToArray());
        }
    }

    public IEnumerable<object> Objects<T>(IDataView view, string column)
    {
        var definition = SchemaDefinition.Create(typeof(PredictionEngineTests.Slot<T>));
        definition["Value"].ColumnName = column;
        return _context.Data.CreateEnumerable<PredictionEngineTests.Slot<T>>(view, reuseRowObject: false, schemaDefinition: definition).Select(slot => (object)slot.Value!);
    }

    private (IDataView Scored, string[] Columns, List<object[]> Expected) Score(string estimator)
    {
        var data = ContractData.Images(_context);
        return (models[estimator].Transform(data), ContractData.Added(models[estimator], data), ContractData.Scores(models[estimator], data));
    }
}
