using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Tests.Contract;

public class SchemaTests
{
    private readonly MLContext _context = new(seed: 1);

    [Theory, EveryEstimator]
    public void ThePromisedSchemaIsTheRealOne(string estimator) => AssertPromised(estimator, ContractData.Images(_context));

    [Theory, EveryEstimator("key of text", "key of int", "key of nothing", "sbyte", "byte", "short", "ushort", "int", "uint", "long", "ulong", "bool", Only = nameof(EstimatorCase.ReadsLabels))]
    public void ThePromisedSchemaIsTheRealOneWhateverTheLabels(string estimator, object label) => AssertPromised(estimator, Labeled((string)label));

    private void AssertPromised(string estimator, IDataView data)
    {
        var maker = EstimatorCase.Of(estimator).Create(_context, EstimatorCase.Of(estimator).Options().Epochs(1));
        var promised = maker.GetOutputSchema(MLNet.ShapeOf(data.Schema));
        var model = maker.Fit(data);
        using var owned = model as IDisposable;
        var real = MLNet.ShapeOf(model.GetOutputSchema(data.Schema));

        Assert.Equal(Describe(real), Describe(promised));
        Assert.Equal(Describe(real), Describe(MLNet.ShapeOf(model.Transform(data).Schema)));
        Assert.Equal(Describe(real), Describe(MLNet.ShapeOf(model.GetRowToRowMapper(data.Schema).OutputSchema)));
    }

    private IDataView Labeled(string label)
    {
        return label switch
        {
            "key of text" => Keys(ContractData.Images(_context)),
            "key of int" => Keys(ContractData.Labeled(_context, 7, 5)),
            // Keys that were made by something else than MapValueToKey may have no values.
            "key of nothing" => _context.Transforms.Conversion.Hash("Label", numberOfBits: 2).Fit(ContractData.Labeled(_context, 7, 5, 3)).Transform(ContractData.Labeled(_context, 7, 5, 3)),
            "sbyte" => ContractData.Labeled<sbyte>(_context, -1, 1),
            "byte" => ContractData.Labeled<byte>(_context, 0, 1),
            "short" => ContractData.Labeled<short>(_context, -1, 1),
            "ushort" => ContractData.Labeled<ushort>(_context, 0, 1),
            "int" => ContractData.Labeled(_context, -1, 1),
            "uint" => ContractData.Labeled(_context, 0u, 1u),
            "long" => ContractData.Labeled(_context, -1L, 1L),
            "ulong" => ContractData.Labeled(_context, 0ul, 1ul),
            _ => ContractData.Labeled(_context, false, true),
        };

        IDataView Keys(IDataView data) => _context.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
    }

    private static IEnumerable<string> Describe(SchemaShape shape) => shape.OrderBy(column => column.Name, StringComparer.Ordinal).Select(column =>
        $"{column.Name}: {column.Kind} of {column.ItemType}{(column.IsKey ? ", a key" : "")} {{{string.Join("; ", Describe(column.Annotations))}}}");
}
