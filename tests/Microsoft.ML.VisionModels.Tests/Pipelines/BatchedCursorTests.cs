using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels.Tests;

public class BatchedCursorTests
{
    private sealed class Input
    {
        public int Number { get; set; }
    }

    // The rows need no network, but every scorer has one.
    private static readonly FittedModel s_model = new(
        new ViTClassifierOptions(), new ViTNetwork(new() { ImageSize = 4, PatchSize = 4, Width = 4, Depth = 1, Heads = 1, MlpWidth = 4, Classes = 1 }), TorchSharp.torch.CPU);

    /// <summary>Doubles numbers, four at a time, and cannot take one of them.</summary>
    private sealed class Doubler(DataViewSchema schema, int bad) : BatchScorer<int, int>(schema, s_model, CancellationToken.None)
    {
        public override IReadOnlyList<DataViewSchema.Column> Inputs => [InputSchema["Number"]];

        public override IReadOnlyList<OutputColumn<int>> Outputs { get; } =
            [new OutputColumn<int, int>("Double", NumberDataViewType.Int32, null, (int result, ref int value) => value = result)];

        public override int BatchSize => 4;

        public override Func<int> MakeReader(DataViewRow row)
        {
            var getter = row.GetGetter<int>(row.Schema["Number"]);
            return () =>
            {
                var number = 0;
                getter(ref number);
                return number;
            };
        }

        private protected override IReadOnlyList<int> ScoreBatch(NetworkUse network, IReadOnlyList<int> items, IReadOnlyList<bool> wanted) =>
            items.Contains(bad) ? throw new FormatException($"{bad} is bad") : [.. items.Select(item => 2 * item)];
    }

    private static (IDataView View, DataViewRowCursor Cursor, ValueGetter<int> Getter) Open(int rows, int bad = -1)
    {
        var input = new MLContext().Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i => new Input { Number = i }));
        var view = new Doubler(input.Schema, bad).View(input);
        var cursor = view.GetRowCursor(view.Schema);
        return (view, cursor, cursor.GetGetter<int>(view.Schema["Double"]));
    }

    [Fact]
    public void RowsAfterAFailedBatchGetTheirOwnResults()
    {
        var (_, cursor, getter) = Open(rows: 10, bad: 2);
        using var owned = cursor;
        for (var row = 0; row < 10; row++)
        {
            Assert.True(cursor.MoveNext());
            var value = 0;
            if (row == 0)
            {
                Assert.Throws<FormatException>(() => getter(ref value));
            }
            else if (row < 4)
            {
                Assert.Contains($"Row {row}", Assert.Throws<InvalidOperationException>(() => getter(ref value)).Message);
            }
            else
            {
                getter(ref value);
                Assert.Equal(2 * row, value);
            }
        }
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void RowsThatNobodyAskedAboutArePassedOver()
    {
        var (_, cursor, getter) = Open(rows: 20);
        using var owned = cursor;
        for (var row = 0; cursor.MoveNext(); row++)
        {
            if (row is 1 or 2 or 11 or 19)
            {
                var value = 0;
                getter(ref value);
                getter(ref value);
                Assert.Equal(2 * row, value);
            }
        }
    }

    [Fact]
    public void OutsideTheRowsThereIsNoValue()
    {
        var (_, cursor, getter) = Open(rows: 1);
        using var owned = cursor;
        var value = 0;
        Assert.Throws<InvalidOperationException>(() => getter(ref value));
        Assert.True(cursor.MoveNext());
        getter(ref value);
        Assert.False(cursor.MoveNext());
        Assert.Throws<InvalidOperationException>(() => getter(ref value));
    }

    [Fact]
    public void ColumnsThatWereNotAskedForAreRefused()
    {
        var (view, cursor, _) = Open(rows: 1);
        cursor.Dispose();
        using var partial = view.GetRowCursor([view.Schema["Number"]]);
        Assert.False(partial.IsColumnActive(view.Schema["Double"]));
        Assert.Contains("'Double'", Assert.Throws<InvalidOperationException>(() => partial.GetGetter<int>(view.Schema["Double"])).Message);
    }
}
