using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Tests.Contract;

public class SchemaTests
{
    [Theory, EveryEstimator("text", "key of text", "key of int", "key of nothing", "sbyte", "byte", "short", "ushort", "int", "uint", "long", "ulong", "bool")]
    public void ThePromisedSchemaIsTheRealOne(string estimator, object label)
    {
        var context = new MLContext(seed: 1);
        var data = Data(context, (string)label);
        var options = EstimatorCase.Of(estimator).Options().Set("Epochs", 1);
        Assert.SkipWhen((string)label != "text" && !options.Has("LabelColumnName"), "There are no labels.");
        var maker = EstimatorCase.Of(estimator).Create(context, options);

        var promised = maker.GetOutputSchema(MLNet.ShapeOf(data.Schema));
        var model = maker.Fit(data);
        using var owned = model as IDisposable;
        var real = MLNet.ShapeOf(model.GetOutputSchema(data.Schema));

        Assert.Equal(Describe(real), Describe(promised));
        Assert.Equal(Describe(real), Describe(MLNet.ShapeOf(model.Transform(data).Schema)));
        Assert.Equal(Describe(real), Describe(MLNet.ShapeOf(model.GetRowToRowMapper(data.Schema).OutputSchema)));
    }

    private static IDataView Data(MLContext context, string label)
    {
        return label switch
        {
            "text" => ContractData.Images(context),
            "key of text" => Keys(ContractData.Images(context)),
            "key of int" => Keys(ContractData.Labeled(context, 7, 5)),
            // Keys that were made by something else than MapValueToKey may have no values.
            "key of nothing" => context.Transforms.Conversion.Hash("Label", numberOfBits: 2).Fit(ContractData.Labeled(context, 7, 5, 3)).Transform(ContractData.Labeled(context, 7, 5, 3)),
            "sbyte" => ContractData.Labeled<sbyte>(context, -1, 1),
            "byte" => ContractData.Labeled<byte>(context, 0, 1),
            "short" => ContractData.Labeled<short>(context, -1, 1),
            "ushort" => ContractData.Labeled<ushort>(context, 0, 1),
            "int" => ContractData.Labeled(context, -1, 1),
            "uint" => ContractData.Labeled(context, 0u, 1u),
            "long" => ContractData.Labeled(context, -1L, 1L),
            "ulong" => ContractData.Labeled(context, 0ul, 1ul),
            _ => ContractData.Labeled(context, false, true),
        };

        IDataView Keys(IDataView data) => context.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
    }

    private static IEnumerable<string> Describe(SchemaShape shape) => shape.OrderBy(column => column.Name, StringComparer.Ordinal).Select(column =>
        $"{column.Name}: {column.Kind} of {column.ItemType}{(column.IsKey ? ", a key" : "")} {{{string.Join("; ", Describe(column.Annotations))}}}");
}
