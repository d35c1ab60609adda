import numpy as np
import pytest

from healthdash.errors import InputError, InvalidInput
from healthdash.signals.formats import read
from healthdash.signals.recording import Recording
from healthdash.signals.stated import stated_rate
from healthdash.task import Upload

VALUES_MV = np.round(0.5 * np.sin(np.arange(500) / 20), 3)


def _read(text: str, **hints: object) -> Recording:
    return read([Upload("recording.csv", text.encode(), hints)])


def _rows(form: str, *, decimal: str = ".") -> str:
    """Return one line a sample; `form` has places for the value, its half and its double."""
    each = (form.format(v, v / 2, v * 2) for v in VALUES_MV)
    return "\n".join(line.replace("@", decimal) for line in each) + "\n"


@pytest.mark.parametrize(
    ("lines", "rate_hz"),
    [
        (["# Filter: 0.05-150 Hz", "# Sampling rate: 360 Hz"], 360),
        (["# Filter: 0.05-150 Hz, fs 500"], 500),
        (["# Heart rate: 74 bpm", "# rate_hz: 250"], 250),
        (["# Heart rate: 74 bpm"], None),
        (["# notch filter 50 Hz", "# fs: 500"], 500),
        (["# notch filter 50 Hz"], None),
        (["# Sampling Rate: 1 kHz"], 1000),
        (["# Sampling rate (kHz): 0.5"], 500),
        (["# Recorded with a sampling rate of 250."], 250),
        (["# fs: 250."], 250),
        (["# fs = 1,000 Hz"], 1000),
        (["# Sample frequency (Hz): 1000"], 1000),
        (["# 500 samples per second"], 500),
        (["# ECG at 250 Hz"], 250),
        (["# rate: 128"], 128),
        (["# 250 Hz, earlier 500 Hz"], None),
        (["I 50Hz notch", "II"], None),
        (["# offset 0, 25 mm/s"], None),
    ],
)
def test_the_sampling_rate_is_told_from_other_rates(lines: list[str], rate_hz: float | None) -> None:
    assert stated_rate(lines) == rate_hz


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_that_end_in_a_separator_keep_their_leads(separator: str) -> None:
    form = separator.join(["{:.3f}", "{:.4f}", "{:.3f}"]) + separator
    header = separator.join(["I (mV)", "II (mV)", "V1 (mV)"])
    recording = _read(f"# rate_hz: 250\n{header}\n{_rows(form)}")
    assert [channel.name for channel in recording.channels] == ["I", "II", "V1"]
    np.testing.assert_allclose(recording.channels[0].values, VALUES_MV, atol=1e-6)
    assert not recording.gaps


def test_counted_rows_are_no_lead_and_other_cells_without_a_name_are_refused() -> None:
    counted = "\n".join(f'"{n + 1}",{v},{v / 2:.4f}' for n, v in enumerate(VALUES_MV))
    recording = _read(f'# rate_hz: 250\n"I (mV)","II (mV)"\n{counted}')
    assert [channel.name for channel in recording.channels] == ["I", "II"]
    np.testing.assert_allclose(recording.channels[0].values, VALUES_MV, atol=1e-6)
    with pytest.raises(InputError, match="more columns than the header has names"):
        _read(f"# rate_hz: 250\nI (mV),II (mV)\n{_rows('{:.3f},{:.4f},{:.3f}')}")


@pytest.mark.parametrize(
    ("header", "form"),
    [("I (mV)\tII (mV)", "{:.3f}\t{:.3f}"), ("I_mV II_mV", "{:.3f} {:.3f}"), ("I (mV)", "{:.3f}")],
)
def test_decimal_commas_need_no_semicolons(header: str, form: str) -> None:
    rows = _rows(form).replace(".", ",")
    recording = _read(f"# rate_hz: 250\n{header}\n{rows}")
    assert recording.channels[0].name == "I"
    np.testing.assert_allclose(recording.channels[0].values, VALUES_MV, atol=1e-6)


def test_a_last_row_without_commas_leaves_the_decimals_of_the_others() -> None:
    rows = _rows("{:.3f};{:.3f}").replace(".", ",")
    recording = _read(f"# rate_hz: 250\nI (mV);II (mV)\n{rows}0;0\n")
    np.testing.assert_allclose(recording.channels[0].values[:-1], VALUES_MV, atol=1e-6)


@pytest.mark.parametrize(
    ("head", "form"),
    [
        ("'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'", "'{minutes}:{seconds:06.3f}',{value}"),
        ("Time,MLII (mV)", "23:{minutes}:{seconds:06.3f},{value}"),
        ("timestamp,MLII (mV)", "2026-01-31T10:{minutes}:{seconds:06.3f},{value}"),
    ],
)
def test_clock_times_are_a_time_column(head: str, form: str) -> None:
    times = [divmod(59 * 60 + n / 250, 60) for n in range(len(VALUES_MV))]
    rows = [
        form.format(minutes=int(minutes), seconds=seconds, value=value)
        for (minutes, seconds), value in zip(times, VALUES_MV, strict=True)
    ]
    recording = _read("\n".join([head, *rows]))
    assert recording.rate_hz == pytest.approx(250)
    assert recording.channels[0].unit == "mV"
    np.testing.assert_allclose(recording.channels[0].values, VALUES_MV, atol=1e-6)


def test_a_clock_passes_midnight() -> None:
    clocks = [(86_399 + n / 250) % 86_400 for n in range(len(VALUES_MV))]
    rows = (
        f"{int(s // 3600):02d}:{int(s // 60 % 60):02d}:{s % 60:06.3f},{v}"
        for s, v in zip(clocks, VALUES_MV, strict=True)
    )
    recording = _read("\n".join(["Time,I (mV)", *rows]))
    assert recording.rate_hz == pytest.approx(250)
    assert recording.duration_s == pytest.approx(2)


def test_a_micro_sign_of_an_old_encoding_and_the_line_for_excel() -> None:
    text = f"sep=;\nTime (s);I (µV)\n{''.join(f'{n / 250};{v}' + chr(10) for n, v in enumerate(VALUES_MV))}"
    recording = read([Upload("recording.csv", text.encode("cp1252"))])
    assert [(channel.name, channel.unit) for channel in recording.channels] == [("I", "uV")]


def test_without_a_rate_it_is_asked_for_and_a_heart_rate_does_not_answer() -> None:
    text = f"# Heart rate: 74 bpm\nI (mV),II (mV)\n{_rows('{:.3f},{:.3f}')}"
    with pytest.raises(InvalidInput, match="does not say its sampling rate"):
        _read(text)
    assert _read(text, rate_hz=250).rate_hz == 250


def test_what_was_entered_for_a_silent_file_is_told() -> None:
    rows = _rows("{:.3f},{:.3f}")
    rate = "The file does not state its rate: 250 Hz, as you entered, is taken."
    silent, stated = _read(f"I,II\n{rows}", rate_hz=250, unit="mV"), _read(f"# fs: 500\nI_mV,II_mV\n{rows}")
    assert silent.notices == (rate, "The file does not state its unit: mV, as you entered, is taken.")
    assert _read(f"I_mV,II_mV\n{rows}", rate_hz=250, unit="uV").notices == (rate,)
    assert _read(f"# fs: 500\nI_mV,II_mV\n{rows}", rate_hz=250, unit="uV").notices == stated.notices == ()


def test_a_guessed_unit_is_told_beside_an_entered_rate() -> None:
    told = _read(f"I,II\n{_rows('{:.3f},{:.3f}')}", rate_hz=250).notices
    assert told[0].endswith("250 Hz, as you entered, is taken.")
    assert told[1] == "The file states no unit; from the size of its values, mV is assumed."


@pytest.mark.parametrize(
    ("name", "a_second"),
    [
        ("Zeit (s)", 1),
        ("Temps", 1),
        ("Tiempo [ms]", 1e3),
        ("Tempo", 1e6),
        ("Czas (s)", 1),
        ("时间 (µs)", 1e6),
    ],
)
def test_a_time_column_is_known_in_other_languages_and_by_its_unit(name: str, a_second: float) -> None:
    rows = [f"{n * a_second / 360:.6f};{v}".replace(".", ",") for n, v in enumerate(VALUES_MV)]
    recording = _read("\n".join([f"{name};II (mV)", *rows]))
    assert recording.rate_hz == pytest.approx(360)
    assert [(channel.name, channel.unit) for channel in recording.channels] == [("II", "mV")]


@pytest.mark.parametrize("a_second", [1, 1e3, 1e6])
def test_times_without_a_unit_are_in_the_one_that_gives_a_possible_rate(a_second: float) -> None:
    rows = [f"{n * a_second / 360:.6f},{v}" for n, v in enumerate(VALUES_MV)]
    assert _read("\n".join(["time,II (mV)", *rows])).rate_hz == pytest.approx(360)


def test_a_column_of_another_unit_is_lent_no_voltage() -> None:
    rows = [f"{v},{800 + n % 7},{n % 3},{v}" for n, v in enumerate(VALUES_MV)]
    recording = _read("\n".join(["# rate_hz: 360", "II (mV),RR (ms),Movement (g),V1", *rows]))
    units = [(channel.name, channel.unit) for channel in recording.channels]
    assert units == [("II", "mV"), ("RR", "ms"), ("Movement", "g"), ("V1", "mV")]
