"""ECG of Apple Health as phones of several languages export it."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.signals import formats
from healthdash.task import Upload

_ENGLISH = """Name,Jane Roe
Date of Birth,"Jan 1, 1980"
Recorded Date,2019-03-28 20:45:36 +0000
Classification,Sinus Rhythm
Symptoms,
Software Version,1.90
Device,"Watch4,2"
Sample Rate,512 hertz


Lead,Lead I
Unit,µV

"""
_GERMAN = """Name,Erika Muster
Geburtsdatum,01.01.1980
Aufzeichnungsdatum,2021-03-28 20:45:36 +0200
Klassifizierung,Sinusrhythmus
Symptome,
Softwareversion,"1,90"
Gerät,"Watch6,1"
Messrate,"511,5 Hertz"
Ableitung,Ableitung I
Einheit,µV

"""
_CHINESE = """姓名,无名氏
出生日期,1980年1月1日
记录日期,2021-03-28 20:45:36 +0800
分类,窦性心律
设备,"Watch6,1"
采样速率,512 赫兹
导联,I 导联
单位,µV

"""
VALUES = [-23.411, 0.5, 1234.567, 12.0]


@pytest.mark.parametrize(
    ("head", "lines", "rate_hz"),
    [
        (_ENGLISH, [f"{v:.3f}" for v in VALUES], 512.0),
        (_GERMAN, ['"-23,411"', '"0,500"', '"1.234,567"', '"12,000"'], 511.5),
        (_CHINESE, ["−23.411", ".5".replace(".", "0."), "1234.567", "12.000"], 512.0),
    ],
)
def test_a_watch_of_any_language_gives_microvolts(head: str, lines: list[str], rate_hz: float) -> None:
    upload = Upload("ecg.csv", (head + "\n".join(lines * 20)).encode())
    assert formats.recognises(upload)
    recording = formats.read([upload])
    (channel,) = recording.channels
    assert (recording.format, channel.name, channel.unit) == ("Apple Health ECG", "I", "uV")
    assert channel.rate_hz == rate_hz
    assert np.allclose(channel.values, VALUES * 20)


def test_no_name_is_kept() -> None:
    recording = formats.read([Upload("ecg.csv", (_ENGLISH + "1.0\n" * 80).encode())])
    assert "Roe" not in repr(recording)
