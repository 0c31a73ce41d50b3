using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Pipelines;

/// <summary>Labels come back in the type and with the values that they were given in.</summary>
public class LabelTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void TextLabelsComeBack() => AssertComeBack("red", "green", "blue");

    [Fact]
    public void BooleansComeBack() => AssertComeBack(true, false);

    [Fact]
    public void IntegersOfEveryWidthComeBack()
    {
        AssertComeBack(sbyte.MinValue, (sbyte)3);
        AssertComeBack(byte.MaxValue, (byte)0);
        AssertComeBack(short.MinValue, (short)7);
        AssertComeBack(ushort.MaxValue, (ushort)1);
        AssertComeBack(int.MinValue, 12);
        AssertComeBack(uint.MaxValue, 0u);
        AssertComeBack(long.MinValue, long.MaxValue);
        AssertComeBack(ulong.MaxValue, 10ul);
    }

    [Fact]
    public void KeysComeBackAsWhatTheyStandFor()
    {
        AssertKeysComeBack("red", "green", "blue");
        AssertKeysComeBack(9, -5);
        AssertKeysComeBack(2.5f, -0.1f);
        AssertKeysComeBack(0.1, 1e300);
        AssertKeysComeBack(true, false);
    }

    [Fact]
    public void IntegersAreInTheOrderOfTheirSize()
    {
        using var model = Fit(ContractData.Labeled(_context, 10, 9, -1));
        Assert.Equal(["-1", "9", "10"], model.Labels);
    }

    [Fact]
    public void AKeysValuesKeepTheirOrder()
    {
        var data = Keys(ContractData.Labeled(_context, "c", "a", "b"));
        using var model = Fit(data);
        Assert.Equal(["c", "a", "b"], model.Labels);
    }

    [Fact]
    public void RowsWithoutALabelAreLeftOut()
    {
        foreach (var data in (IDataView[])[ContractData.Labeled(_context, "a", "", "b"), Keys(ContractData.Labeled(_context, "a", "", "b"))])
        {
            using var model = Fit(data);
            Assert.Equal(["a", "b"], model.Labels);
        }
    }

    [Fact]
    public void AValidationLabelThatTrainingDoesNotHaveIsNamed()
    {
        var options = Options();
        options.ValidationData = ContractData.Labeled(_context, "a", "purple");
        var error = Assert.Throws<InvalidOperationException>(() => _context.Transforms.ViTClassifier(options).Fit(ContractData.Labeled(_context, "a", "b")));
        Assert.Contains("'purple'", error.Message);
    }

    [Fact]
    public void AValidationSetWithOtherKeysIsReadByItsLabels()
    {
        // The same classes in another order.
        var options = Options();
        options.ValidationData = Keys(ContractData.Labeled(_context, "b", "a"));
        using var model = _context.Transforms.ViTClassifier(options).Fit(Keys(ContractData.Labeled(_context, "a", "b")));
        Assert.Equal(["a", "b"], model.Labels);
    }

    [Fact]
    public void OneClassIsNotEnough()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Fit(ContractData.Labeled(_context, "only")));
        Assert.Contains("'Label'", error.Message);
        Assert.Contains("'only'", error.Message);
    }

    private void AssertComeBack<T>(params T[] labels) => AssertComeBack(ContractData.Labeled(_context, labels), labels, data => data);

    private void AssertKeysComeBack<T>(params T[] labels) => AssertComeBack(ContractData.Labeled(_context, labels), labels, Keys);

    private void AssertComeBack<T>(IDataView data, T[] labels, Func<IDataView, IDataView> prepare)
    {
        using var model = Fit(prepare(data));
        using var folder = TestFolders.Temporary();
        _context.Model.Save(model, null, folder.File("model.zip"));
        using var loaded = (IDisposable)_context.Model.Load(folder.File("model.zip"), out _);

        foreach (var transformer in (ITransformer[])[model, (ITransformer)loaded])
        {
            var scored = transformer.Transform(data);
            var back = _context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(scored).Transform(scored);
            Assert.Equal(data.Schema["Label"].Type, back.Schema["PredictedLabel"].Type);
            var predicted = back.GetColumn<T>("PredictedLabel").ToArray();
            Assert.All(predicted, label => Assert.Contains(label, labels));

            // The score's slots say the same.
            VBuffer<ReadOnlyMemory<char>> slots = default;
            scored.Schema["Score"].GetSlotNames(ref slots);
            var names = slots.DenseValues().Select(name => name.ToString()).ToArray();
            var scores = scored.GetColumn<float[]>("Score").ToArray();
            Assert.Equal(labels.Length, names.Length);
            Assert.Equal(scores.Select(score => names[Array.IndexOf(score, score.Max())]), predicted.Select(label => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{label}")));
        }
    }

    private IDataView Keys(IDataView data) => _context.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);

    private static ViTClassifierOptions Options() => new() { ImageSize = 16, PatchSize = 8, Epochs = 2, BatchSize = 8, LearningRate = 3e-3 };

    private ImageClassifierTransformer Fit(IDataView data) => _context.Transforms.ViTClassifier(Options()).Fit(data);
}
