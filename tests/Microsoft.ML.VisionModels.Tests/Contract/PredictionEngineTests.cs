using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Contract;

public class PredictionEngineTests(FittedModels models)
{
    [Theory, EveryEstimator]
    public void EqualsTransformOnImages(string estimator) =>
        AssertEqualsTransform(models[estimator], ContractData.Rows(10, seed: 3));

    [Theory, EveryEstimator]
    public void EqualsTransformOnPaths(string estimator)
    {
        using var folder = TestFolders.Temporary();
        AssertEqualsTransform(models[estimator], [.. ContractData.Save(folder, 10).Select(path => new ContractData.PathRow { Image = path, Text = Path.GetFileName(path) })]);
    }

    // No text is wrong.
    [Theory, EveryEstimator(Only = nameof(EstimatorCase.ReadsImages))]
    public void GoesOnAfterARowThatFailed(string estimator)
    {
        var rows = ContractData.Rows(2);
        var engine = Engines<ContractData.Row>(models[estimator], new MLContext().Data.LoadFromEnumerable(rows))[0];
        var expected = engine(rows[0]);

        Assert.ThrowsAny<Exception>(() => engine(new ContractData.Row()));
        ContractData.AssertClose(expected, engine(rows[0]), tolerance: 0);
    }

    private static void AssertEqualsTransform<TSource>(ITransformer model, List<TSource> rows) where TSource : class
    {
        var data = new MLContext().Data.LoadFromEnumerable(rows);
        var engines = Engines<TSource>(model, data);
        ContractData.AssertClose(ContractData.Scores(model, data), [.. rows.Select(row => Array.ConvertAll(engines, predict => predict(row)))]);
    }

    /// <summary>A prediction engine for each of the columns that the model adds: their types differ by family.</summary>
    internal static Func<TSource, object>[] Engines<TSource>(ITransformer model, IDataView data) where TSource : class =>
        [.. model.GetOutputSchema(data.Schema).Skip(data.Schema.Count).Select(column =>
        {
            var type = column.Type is VectorDataViewType vector ? vector.ItemType.RawType.MakeArrayType() : column.Type.RawType;
            return (Func<TSource, object>)typeof(PredictionEngineTests).GetMethod(nameof(Engine), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(typeof(TSource), type).Invoke(null, [model, column.Name])!;
        })];

    private static Func<TSource, object> Engine<TSource, TValue>(ITransformer model, string column) where TSource : class
    {
        var output = SchemaDefinition.Create(typeof(Slot<TValue>));
        output[nameof(Slot<>.Value)].ColumnName = column;
        var engine = new MLContext().Model.CreatePredictionEngine<TSource, Slot<TValue>>(model, new PredictionEngineOptions { OutputSchemaDefinition = output, OwnsTransformer = false });
        return row => engine.Predict(row).Value!;
    }

    internal sealed class Slot<T>
    {
        public T Value { get; set; } = default!;
    }
}
